// How numbers, times and places are written.

const whole = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat('en-US', { notation: 'compact', maximumSignificantDigits: 3 });
const three = new Intl.NumberFormat('en-US', { maximumSignificantDigits: 3 });
const one = new Intl.NumberFormat('en-US', { maximumFractionDigits: 1 });
const two = n => String(n).padStart(2, '0');

export const count = n => (n === null || n === undefined ? '–' : whole.format(n));

export const compact = n => (n === null || n === undefined ? '–' : short.format(n));

export const figure = n => {
    if (n === null || n === undefined) return '–';
    return Math.abs(n) >= 1000 ? whole.format(n) : three.format(n);
};

export const signed = n => (n > 0 ? '+' : n < 0 ? '−' : '±') + whole.format(Math.abs(n));

export const percent = share => (share > 0 && share < 0.0005 ? '< 0.1 %' : `${one.format(100 * share)} %`);

export const plural = (n, noun) => `${count(n)} ${noun}${n === 1 ? '' : 's'}`;

/** The time of day, in the browser's time zone. */
export function clock(millis, fraction = false) {
    const date = new Date(millis);
    const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
    return fraction ? `${time}.${String(date.getMilliseconds()).padStart(3, '0')}` : time;
}

export function dateTime(millis) {
    const date = new Date(millis);
    return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${clock(millis)}`;
}

export function duration(millis) {
    if (millis < 1000) return `${Math.round(millis)} ms`;
    if (millis < 60_000) return `${three.format(millis / 1000)} s`;
    if (millis < 3_600_000) return `${Math.floor(millis / 60_000)} min ${Math.round((millis % 60_000) / 1000)} s`;
    return `${Math.floor(millis / 3_600_000)} h ${Math.round((millis % 3_600_000) / 60_000)} min`;
}

/** Of an MSR: its name where it has one. */
export const msrName = ({ name, msr }) => name || msr;

/** Which bitmap or control structure: 01 is L0's for L1, 02 L0's for L2, 12 L1's for L2. */
export const bitmapName = bitmap => two(bitmap);
