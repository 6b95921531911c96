// Light and dark: the system's choice, until one is chosen by hand.

const KEY = 'trapline.theme';
const system = matchMedia('(prefers-color-scheme: dark)');
const listeners = new Set();

export const isDark = () => document.documentElement.dataset.theme === 'dark';

export function toggleTheme() {
    const next = isDark() ? 'light' : 'dark';
    try {
        if (next === (system.matches ? 'dark' : 'light')) localStorage.removeItem(KEY);
        else localStorage.setItem(KEY, next);
    } catch {
        // No storage: the choice lasts as long as this page.
    }
    set(next);
}

/** Calls back after each change of theme; returns what ends that. */
export function onTheme(listener) {
    listeners.add(listener);
    return () => listeners.delete(listener);
}

export const colour = name => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

export function startTheme() {
    set(chosen() ?? (system.matches ? 'dark' : 'light'));
    system.addEventListener('change', () => {
        if (!chosen()) set(system.matches ? 'dark' : 'light');
    });
}

function chosen() {
    try {
        return localStorage.getItem(KEY);
    } catch {
        return null;
    }
}

function set(theme) {
    document.documentElement.dataset.theme = theme;
    listeners.forEach(listener => listener());
}

const PREFERRED = [
    [/wrmsr|msr_write|^msr$/i, 0],
    [/rdmsr|msr_read/i, 4],
    [/cpuid/i, 2],
    [/^io|_io|ioio/i, 1],
    [/hlt/i, 7],
    [/ept|npf|page/i, 5],
    [/interrupt|intr|nmi/i, 3],
    [/timer|pause/i, 6],
];
const slots = {};

/** A colour of its own for each name of a kind ('reason', 'msr', 'vcpu'), the same on all pages while there are enough. */
export function seriesColour(kind, name) {
    if (name === 'others') return colour('others');
    const taken = (slots[kind] ??= new Map());
    if (!taken.has(name)) taken.set(name, freeSlot(name, taken));
    return colour(`s${taken.get(name)}`);
}

function freeSlot(name, all) {
    const wish = PREFERRED.find(([pattern]) => pattern.test(name))?.[1] ?? hash(name) % 10;
    const taken = new Set(all.values());
    for (let step = 0; step < 10; step++) {
        const slot = (wish + step) % 10;
        if (!taken.has(slot)) return slot;
    }
    return wish;
}

function hash(text) {
    let sum = 7;
    for (const letter of text) sum = (31 * sum + letter.codePointAt(0)) >>> 0;
    return sum;
}
