// Lanes over one x axis: rows of coloured runs, as pixels; the timelines of the explorer and of diffs are made of them.
import { axisStyle, Chart, MONO } from '/assets/chart.js';
import { compact, count } from '/assets/format.js';
import { colour } from '/assets/theme.js';

const LABELS = 168;
const TOP = 4;
const BOTTOM = 20;
const LETTER = 6.3;

/** More runs than this in a row are drawn as shares. */
const CROWDED = 900;
const COLUMNS = 360;

export class Lanes {
    #rows = [];
    #from = 0;
    #to = 1;

    constructor(element) {
        this.chart = new Chart(element, looks);
        this.chart.onRecolour = () => this.onRecolour?.();
    }

    /**
     * `rows`: `[{ label, height, gap, strong, runs: [{ from, to, fill, text, on, info, least }] }]`, `fill` and `on` being names of
     * colours; `bars`: `[{ from, to, parts: [[fill, share of the height]], info }]` in place of runs.
     */
    draw(rows, from, to) {
        this.#rows = placed(rows, from, to);
        this.#from = from;
        this.#to = to;
        const last = this.#rows.at(-1);
        const height = last ? last.top + last.height : 0;
        const wanted = `${height + TOP + BOTTOM}px`;
        if (this.chart.element.style.height !== wanted) {
            this.chart.element.style.height = wanted;
            this.chart.echarts.resize();
        }
        this.chart.draw({
            xAxis: { min: from, max: to },
            yAxis: { min: 0, max: Math.max(1, height) },
            series: [{
                type: 'custom', silent: true, clip: false, data: [[from, 0]], encode: { x: 0, y: 1 },
                renderItem: params => this.#render(params.coordSys),
            }],
        });
    }

    /** The row at a mouse event, and its run there, if any. */
    hit(event) {
        const box = this.chart.element.getBoundingClientRect();
        const y = event.clientY - box.top - TOP;
        const x = this.chart.at(event);
        const row = this.#rows.find(one => y >= one.top && y < one.top + one.height);
        if (!row || event.clientX - box.left < LABELS) return { x, row, run: null };
        const slack = (2 * (this.#to - this.#from)) / Math.max(1, box.width - LABELS);
        const list = row.runs ?? [...row.bars, ...(row.marks ?? [])];
        const inside = list.filter(one => x >= one.from && x < one.to);
        const run = inside.at(-1) ?? list.find(one => Math.abs(one.from - x) < slack) ?? null;
        return { x, row, run };
    }

    dispose() {
        this.chart.dispose();
    }

    #render({ x: left, y: top, width }) {
        const scale = width / Math.max(1e-9, this.#to - this.#from);
        const px = x => left + (x - this.#from) * scale;
        const children = [];
        for (const row of this.#rows) {
            children.push(label(row, left, top));
            if (row.runs) runs(row, px, left, left + width, top, children);
            else bars(row, px, left, left + width, top, children);
            if (row.marks?.length) runs({ ...row, runs: row.marks }, px, left, left + width, top, children);
        }
        return { type: 'group', children };
    }
}

function placed(rows, from, to) {
    let top = 0;
    return rows.map(row => {
        top += row.gap ?? 0;
        const at = { ...(row.runs?.length > CROWDED ? crowded(row, from, to) : row), top };
        top += row.height + 1;
        return at;
    });
}

/** Runs that no pixel could show one by one, as columns of what share each colour has there; violations stay runs. */
function crowded(row, from, to) {
    const width = (to - from) / COLUMNS;
    const columns = Array.from({ length: COLUMNS }, () => new Map());
    for (const run of row.runs) {
        const [begin, end] = [Math.max(from, run.from), Math.min(to, run.to)];
        for (let at = Math.floor((begin - from) / width); at < COLUMNS && from + at * width < end; at++) {
            const share = (Math.min(end, from + (at + 1) * width) - Math.max(begin, from + at * width)) / width;
            if (share > 0) columns[at].set(run.fill, (columns[at].get(run.fill) ?? 0) + share);
        }
    }
    const totals = new Map();
    columns.forEach(shares => shares.forEach((share, fill) => totals.set(fill, (totals.get(fill) ?? 0) + share)));
    const fills = [...totals.keys()].sort((a, b) => totals.get(b) - totals.get(a));
    const bars = columns.map((shares, at) => ({
        from: from + at * width,
        to: from + (at + 1) * width,
        parts: fills.filter(fill => shares.has(fill)).map(fill => [fill, shares.get(fill)]),
        info: 'zoom in for each run',
    }));
    const { runs: all, ...rest } = row;
    return { ...rest, bars, marks: all.filter(run => run.violation), exact: false };
}

const label = (row, left, top) => ({
    type: 'text',
    style: {
        text: row.label, x: left - 8, y: top + row.top + row.height / 2, textAlign: 'right', textVerticalAlign: 'middle',
        fill: colour(row.strong ? 'ink' : 'muted'), font: `${row.strong ? '600 ' : ''}11px ${MONO}`, width: LABELS - 12, overflow: 'truncate',
    },
});

/** Runs as one shape for each colour; of runs that are narrower than a pixel, one a pixel. */
function runs(row, px, left, right, top, children) {
    const shapes = new Map();
    const texts = [];
    const last = new Map();
    for (const run of row.runs) {
        const from = Math.max(left, px(run.from));
        const to = Math.min(right, Math.max(px(run.to), px(run.from) + (run.least ?? 0)));
        if (to < left || from > right || to <= from) continue;
        if (Math.floor(from) === last.get(run.fill) && to - from < 1) continue;
        if (!shapes.has(run.fill)) shapes.set(run.fill, []);
        shapes.get(run.fill).push([from, top + row.top, Math.max(to - from, 0.7), row.height]);
        last.set(run.fill, Math.floor(from));
        if (run.text && to - from > LETTER * Math.min(run.text.length, 4) + 4) texts.push(text(run, from, to, top + row.top, row.height));
    }
    for (const [fill, list] of shapes) children.push({ type: 'rectangles', shape: { list }, style: { fill: shown(fill) } });
    children.push(...texts);
}

const text = (run, from, to, y, height) => ({
    type: 'text',
    style: {
        text: run.text, x: from + 3, y: y + height / 2 + 0.5, textVerticalAlign: 'middle', fill: shown(run.on ?? 'ink'),
        font: `10.5px ${MONO}`, width: to - from - 5, overflow: 'truncate', ellipsis: '…',
    },
});

function bars(row, px, left, right, top, children) {
    const shapes = new Map();
    for (const bar of row.bars) {
        const from = Math.max(left, px(bar.from));
        const to = Math.min(right, px(bar.to));
        if (to <= from) continue;
        let base = top + row.top + row.height;
        for (const [fill, share] of bar.parts) {
            const height = share * row.height;
            base -= height;
            if (!shapes.has(fill)) shapes.set(fill, []);
            shapes.get(fill).push([from, base, Math.max(0.7, to - from), height]);
        }
    }
    for (const [fill, list] of shapes) children.push({ type: 'rectangles', shape: { list }, style: { fill: shown(fill) } });
}

/** A colour as it is, or by its name in the theme. */
const shown = fill => (fill.startsWith('#') ? fill : colour(fill));

function looks() {
    return {
        grid: { left: LABELS, right: 26, top: TOP, bottom: BOTTOM },
        xAxis: { type: 'value', position: 'bottom', ...axisStyle(), axisLine: { onZero: false, lineStyle: { color: colour('rule') } }, splitLine: { show: false }, axisLabel: { ...axisStyle().axisLabel, formatter: value => (Number.isInteger(value) ? (value < 1e7 ? count(value) : compact(value)) : '') } },
        yAxis: { type: 'value', inverse: true, show: false, min: 0, max: 1 },
        series: [],
    };
}
