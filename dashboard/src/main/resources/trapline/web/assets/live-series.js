// Windows as series over a stretch of time: exits a second, stacked, the largest few by name and the rest as others.
import { firstFrom } from '/assets/live-store.js';

const NAMED = 8;

/** The windows that touch a stretch. */
export function inView(windows, from, to) {
    let first = firstFrom(windows, from);
    while (first > 0 && windows[first - 1].begin + windows[first - 1].millis > from) first--;
    return windows.slice(first, firstFrom(windows, to));
}

/**
 * Rates by name, stacked in this order, the largest first: `{ names, steps }`, each step `{ from, to, tops }` with the
 * sum of the rates up to each name. Where there is no window, nothing happened.
 */
export function stacks(windows, rowsOf, nameOf) {
    const names = largest(windows, rowsOf, nameOf);
    const shown = new Set(names);
    const steps = windows.map(window => {
        const counts = sums(window, rowsOf, nameOf, shown);
        let sum = 0;
        const tops = names.map(name => (sum += (1000 * (counts.get(name) ?? 0)) / window.millis));
        return { from: window.begin, to: window.begin + window.millis, tops };
    });
    return { names, steps };
}

export const PERCENTILES = ['p50', 'p90', 'p99', 'max'];

/** Each percentile as steps, with gaps where nothing was timed. */
export function percentiles(windows) {
    return PERCENTILES.map(name => {
        const data = [];
        for (const { begin, millis, time } of windows) {
            const value = time?.[name] ?? null;
            data.push([begin, value], [begin + millis, value]);
        }
        return { name, data };
    });
}

function largest(windows, rowsOf, nameOf) {
    const totals = new Map();
    for (const window of windows) {
        for (const row of rowsOf(window) ?? []) {
            const name = nameOf(row);
            totals.set(name, (totals.get(name) ?? 0) + row.count);
        }
    }
    const names = [...totals].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).map(([name]) => name);
    if (names.length <= NAMED + 1) return names;
    return [...names.slice(0, NAMED), 'others'];
}

/** What a window has a second, by the names that are shown. */
export function ratesOf(window, rowsOf, nameOf, shown) {
    const counts = sums(window, rowsOf, nameOf, shown);
    for (const [name, n] of counts) counts.set(name, (1000 * n) / window.millis);
    return counts;
}

function sums(window, rowsOf, nameOf, shown) {
    const counts = new Map();
    for (const row of rowsOf(window) ?? []) {
        const own = nameOf(row);
        const name = shown.has(own) ? own : 'others';
        counts.set(name, (counts.get(name) ?? 0) + row.count);
    }
    return counts;
}
