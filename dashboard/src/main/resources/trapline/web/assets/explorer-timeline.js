// The timeline of a session: for each vCPU what it does, SPEC_CTRL in hardware and as the guest sees it, and interception.
import { bitmapName, count, plural } from '/assets/format.js';
import { seriesColour } from '/assets/theme.js';

const MODE_FILL = { guest: 'guest', l2: 'l2', put: 'put', halted: 'hair', host: 'put', entryFailed: 'even' };
const MODE_NAME = { guest: 'guest, L1', l2: 'guest, L2', put: 'vCPU put', halted: 'halted', host: 'host', entryFailed: 'entry failed', exit: 'exit' };
const FEW_VCPUS = 3;
const MOST_LANES = 48;
const MOST_INTERCEPTS = 10;

/** The reason of an exit's label, without its subject. */
export const reasonOf = label => (label ?? 'exit').split(' ')[0];

/** The reasons of all exits of a timeline's answer. */
export const reasonsOf = ({ lanes }) => lanes.flatMap(({ mode, bins = [] }) => [
    ...mode.filter(run => run[2] === 'exit').map(run => reasonOf(run[3])),
    ...bins.flatMap(([, , , reasons]) => Object.keys(reasons ?? {})),
]);

/** The rows of a timeline's answer; of the chosen vCPU all, of others what they do where there are many. */
export function rowsOf({ lanes }, chosen) {
    const rows = [];
    const shown = lanes.length <= MOST_LANES ? lanes : lanes.filter(lane => Math.abs(lane.vcpu - chosen) < MOST_LANES / 2);
    const most = Math.max(1e-9, ...shown.flatMap(lane => (lane.bins ?? []).map(([from, to, exits]) => exits / Math.max(1, to - from))));
    for (const lane of shown) {
        const whole = lanes.length <= FEW_VCPUS || lane.vcpu === chosen;
        rows.push(modeRow(lane, lane.vcpu === chosen, whole, most));
        if (!whole) continue;
        rows.push(valueRow('SPEC_CTRL hardware', lane.specCtrl?.hardware, lane.vcpu), valueRow('SPEC_CTRL guest', lane.specCtrl?.guest, lane.vcpu));
        for (const intercept of interceptsOf(lane, lane.vcpu === chosen)) rows.push(interceptRow(intercept, lane.vcpu));
    }
    return rows;
}

/** Of the chosen vCPU those that change, of others SPEC_CTRL's. */
function interceptsOf({ intercepts = [] }, chosen) {
    const own = intercepts.filter(({ msr, bitmap }) => msr === '0x48' && bitmap === 1);
    const others = intercepts.filter(one => !own.includes(one));
    return chosen ? [...own, ...others].slice(0, MOST_INTERCEPTS) : own;
}

function modeRow(lane, chosen, whole, most) {
    const row = { label: `vCPU ${lane.vcpu}`, strong: chosen, height: whole ? 22 : 15, gap: whole ? 5 : 1, vcpu: lane.vcpu, exact: !lane.bins?.length };
    if (lane.bins?.length) return { ...row, bars: lane.bins.map(bin => bar(bin, most)) };
    return { ...row, runs: [...lane.mode.map(modeRun), ...(lane.violations ?? []).map(violation)] };
}

function modeRun([from, to, mode, label, level, seq]) {
    const name = mode === 'exit' ? label ?? 'exit' : MODE_NAME[mode] ?? mode;
    return {
        from,
        to,
        seq,
        fill: mode === 'exit' ? seriesColour('reason', reasonOf(label)) : MODE_FILL[mode] ?? 'put',
        on: mode === 'exit' ? '#ffffff' : 'ink',
        text: mode === 'exit' ? name : mode === 'l2' ? 'L2' : mode === 'guest' ? 'L1' : name,
        least: mode === 'exit' || mode === 'entryFailed' ? 1.2 : 0,
        info: `${name}${mode === 'exit' ? ` of L${level}` : ''}, events ${count(from)} to ${count(to)}`,
    };
}

const violation = ({ order, seq, rule, message }) =>
    ({ from: order, to: order, seq, fill: 'even', least: 3, info: `violation of ${rule}: ${message}`, text: '', violation: true });

function bar([from, to, exits, reasons], most) {
    const share = exits / Math.max(1, to - from) / most;
    const parts = Object.entries(reasons ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
    const text = [...parts].sort(([, a], [, b]) => b - a).slice(0, 4).map(([name, n]) => `${name} ${count(n)}`).join(', ');
    return {
        from,
        to,
        parts: parts.map(([name, n]) => [seriesColour('reason', name), (share * n) / Math.max(1, exits)]),
        info: `${plural(exits, 'VM exit')} in events ${count(from)} to ${count(to)}: ${text}`,
    };
}

/** A value is `0x…`, or `mixed` where a run of the index has several, or not known. */
function valueColours(value) {
    if (value === 'mixed') return { fill: 'half', on: 'on-half' };
    if (!/^0x[0-9a-f]+$/i.test(value ?? '')) return { fill: 'page', on: 'muted' };
    return BigInt(value) === 0n ? { fill: 'hair', on: 'muted' } : { fill: seriesColour('value', value), on: '#ffffff' };
}

function valueRow(label, runs = [], vcpu) {
    return {
        label,
        height: 13,
        vcpu,
        runs: runs.map(([from, to, value]) => ({
            from,
            to,
            ...valueColours(value),
            text: value ?? 'unknown',
            least: 1,
            info: `${label} = ${value ?? 'unknown'}, events ${count(from)} to ${count(to)}`,
        })),
    };
}

const TOLD = { rw: ['exits', 'on-exits', 'RDMSR and WRMSR exit'], r: ['half', 'on-half', 'RDMSR exits'], w: ['half', 'on-half', 'WRMSR exits'], '': ['passes', 'on-passes', 'passes through'], mixed: ['half', 'on-half', 'changes'] };
const UNTOLD = ['page', 'muted', 'unknown'];

function interceptRow({ bitmap, name, msr, runs }, vcpu) {
    const label = `${name || msr} ${bitmapName(bitmap)}`;
    return {
        label,
        height: 12,
        vcpu,
        runs: runs.map(([from, to, told]) => {
            const [fill, on, info] = TOLD[told] ?? UNTOLD;
            return { from, to, fill, on, text: told === '' ? 'passes' : told === 'rw' || told === 'r' || told === 'w' ? told.toUpperCase() : told, least: 1, info: `${label}: ${info}, events ${count(from)} to ${count(to)}` };
        }),
    };
}

/** Exits over the whole session, of all vCPUs, in bars for the small map. */
export function mapRow({ lanes, from, to }) {
    const bins = 400;
    const width = Math.max(1, to - from) / bins;
    const exits = new Array(bins).fill(0);
    const put = (begin, end, n) => {
        const first = Math.max(0, Math.min(bins - 1, Math.floor((begin - from) / width)));
        const last = Math.max(first, Math.min(bins - 1, Math.ceil((end - from) / width) - 1));
        for (let at = first; at <= last; at++) exits[at] += n / (last - first + 1);
    };
    for (const lane of lanes) {
        if (lane.bins?.length) lane.bins.forEach(([begin, end, n]) => put(begin, end, n));
        else lane.mode.filter(run => run[2] === 'exit').forEach(([begin]) => put(begin, begin + 1, 1));
    }
    const most = Math.max(1, ...exits);
    const marks = lanes.flatMap(lane => (lane.violations ?? []).map(({ order }) => order));
    return {
        bars: exits.map((n, at) => ({ from: from + at * width, to: from + (at + 1) * width, parts: [['exits', n / most]] })),
        marks,
    };
}
