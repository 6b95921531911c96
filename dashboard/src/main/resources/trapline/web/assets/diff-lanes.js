// Both sides of a diff on one axis of guest ops: exits as bars, interception as runs, the first divergence as a line.
import { draggable } from '/assets/drag.js';
import { bitmapName, count, plural } from '/assets/format.js';
import { Lanes } from '/assets/lanes.js';
import { seriesColour } from '/assets/theme.js';

const NARROWEST = 8;
const MOST_INTERCEPTS = 10;
const HINT = 'x axis: guest ops of each vCPU; drag zooms, wheel zooms, a shows all';

export class DiffLanes {
    #lanes;
    #timeline;
    #sides;
    #readout;
    #view;
    #whole;
    #endings = [];

    constructor(element, readout, timeline, sides) {
        this.#timeline = timeline;
        this.#sides = sides;
        this.#readout = readout;
        const ops = timeline.vcpus.map(({ ops: range }) => range);
        this.#whole = [Math.min(...ops.map(([first]) => first)), Math.max(...ops.map(([, last]) => last)) + 1];
        this.#view = this.#whole;
        this.#lanes = new Lanes(element);
        this.#lanes.onRecolour = () => this.#draw();
        this.#watch();
        this.#draw();
    }

    zoom(factor, around) {
        const [from, to] = this.#view;
        const middle = around ?? (from + to) / 2;
        const share = (middle - from) / (to - from);
        this.#show(middle - share * (to - from) * factor, middle + (1 - share) * (to - from) * factor);
    }

    all() {
        this.#show(...this.#whole);
    }

    dispose() {
        this.#endings.forEach(end => end());
        this.#lanes.dispose();
    }

    #show(from, to) {
        const [first, last] = this.#whole;
        const length = Math.max(NARROWEST, Math.min(last - first, to - from));
        const begin = Math.max(first, Math.min(last - length, from));
        this.#view = [begin, begin + length];
        this.#draw();
    }

    #draw() {
        this.#lanes.draw(rows(this.#timeline, this.#sides, this.#view), ...this.#view);
        this.#lanes.chart.cross(this.#timeline.firstDivergence?.op ?? null, 'cursor');
        this.#readout.textContent = HINT;
    }

    #watch() {
        const { chart } = this.#lanes;
        this.#endings.push(draggable(chart.element, {
            at: event => chart.at(event),
            pick: (from, to) => this.#show(from, to),
            zoom: (factor, x) => this.zoom(factor, x),
            move: (by, share) => this.#show(...this.#view.map(x => x + (by ?? share * (this.#view[1] - this.#view[0])))),
        }));
        chart.element.addEventListener('pointermove', event => {
            const { run, row, x } = this.#lanes.hit(event);
            chart.cross(run ? x : null);
            this.#readout.textContent = run ? `${row.side ?? row.label}: ${run.info}` : HINT;
        });
        chart.element.addEventListener('pointerleave', () => {
            chart.cross(null);
            this.#readout.textContent = HINT;
        });
    }
}

function rows({ vcpus }, sides, [from, to]) {
    const all = [];
    for (const lane of vcpus) {
        const rate = bars => bars.filter(([first, last]) => last >= from && first <= to).map(([first, last, exits]) => exits / (last + 1 - first));
        const most = Math.max(1e-9, ...rate(lane.base), ...rate(lane.candidate));
        all.push(exitRow(`vCPU ${lane.vcpu} base`, sides.base, lane.base, most, true), exitRow('candidate', sides.candidate, lane.candidate, most, false));
        all.push(...intercepts(lane, sides));
    }
    return all;
}

function exitRow(label, side, bins, most, first) {
    return {
        label,
        side,
        strong: first,
        height: 26,
        gap: first ? 8 : 1,
        bars: bins.map(([from, to, exits, reasons]) => ({
            from,
            to: to + 1,
            parts: Object.entries(reasons ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))
                .map(([name, n]) => [seriesColour('reason', name), n / (to + 1 - from) / most]),
            info: `${plural(exits, 'VM exit')} at ops ${count(from)} to ${count(to)}: ${Object.entries(reasons ?? {}).map(([name, n]) => `${name} ${count(n)}`).join(', ') || 'none'}`,
        })),
    };
}

const TOLD = { rw: ['exits', 'on-exits', 'RDMSR and WRMSR exit'], r: ['half', 'on-half', 'RDMSR exits'], w: ['half', 'on-half', 'WRMSR exits'], '': ['passes', 'on-passes', 'passes through'] };

/** MSRs whose interception differs between the sides, or changes; the differing ones first. */
function intercepts({ intercepts: { base = [], candidate = [] } = {} }, sides) {
    const key = ({ msr, bitmap }) => `${msr}/${bitmap ?? 1}`;
    const pairs = new Map();
    for (const [side, list] of [['base', base], ['candidate', candidate]]) {
        for (const one of list) pairs.set(key(one), { ...pairs.get(key(one)), [side]: one, name: `${one.name || one.msr}${one.bitmap === undefined ? '' : ` ${bitmapName(one.bitmap)}`}` });
    }
    const told = [...pairs.values()].map(pair => ({ ...pair, differs: JSON.stringify(pair.base?.runs) !== JSON.stringify(pair.candidate?.runs) }));
    const moving = told.filter(({ differs, base: one, candidate: other }) => differs || one?.runs.length > 1 || other?.runs.length > 1);
    moving.sort((a, b) => Number(b.differs) - Number(a.differs));
    return moving.slice(0, MOST_INTERCEPTS).flatMap(({ name, base: one, candidate: other }) => [
        interceptRow(name, sides.base, one, 3), interceptRow('', sides.candidate, other, 0),
    ]);
}

function interceptRow(label, side, one, gap) {
    const runs = one?.runs ?? [];
    return {
        label,
        side: `${label} ${side}`,
        height: 11,
        gap,
        runs: runs.map(([from, to, told]) => {
            const [fill, on, info] = TOLD[told] ?? TOLD[''];
            return { from, to: to + 1, fill, on, text: told === '' ? 'passes' : told.toUpperCase(), least: 1, info: `${info}, ops ${count(from)} to ${count(to)}` };
        }),
    };
}
