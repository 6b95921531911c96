// The four charts of a live session, over one stretch of time, with what they say at the pointer.
import { html, nothing, render } from '/lib/lit-html/lit-html.js';
import { axisStyle, Chart } from '/assets/chart.js';
import { clock, compact, figure, msrName } from '/assets/format.js';
import { inView, PERCENTILES, percentiles, ratesOf, stacks } from '/assets/live-series.js';
import { colour, seriesColour } from '/assets/theme.js';

const STACKED = {
    reasons: [window => window.byReason, row => row.name, name => seriesColour('reason', name)],
    msrs: [window => window.byMsr, row => `${row.access === 'write' ? 'WRMSR' : 'RDMSR'} ${msrName(row)}`, name => seriesColour('msr', name)],
    vcpus: [window => window.byVcpu, row => `vCPU ${row.vcpu}`, name => seriesColour('vcpu', name)],
};
const NAMES = [...Object.keys(STACKED), 'times'];

export class LiveCharts {
    #charts = {};
    #legends = {};
    #names = {};
    #windows = [];
    #picture = null;
    #pointer = null;
    #ending = new AbortController();

    /** Draws into the elements of `root` that have the charts' names as `data-chart` and `data-legend`. */
    constructor(root) {
        for (const name of NAMES) {
            const chart = new Chart(root.querySelector(`[data-chart=${name}]`), looks);
            chart.onRecolour = () => this.#redraw();
            this.#charts[name] = chart;
            this.#legends[name] = root.querySelector(`[data-legend=${name}]`);
            const { signal } = this.#ending;
            chart.element.addEventListener('pointermove', event => this.#pointed(chart.at(event)), { signal });
            chart.element.addEventListener('pointerleave', () => this.#pointed(null), { signal });
        }
    }

    all() {
        return Object.values(this.#charts);
    }

    /** `picture`: `{ windows, from, to, seams, selected: [from, to]|null, unit, open }`. */
    draw(picture) {
        this.#picture = picture;
        this.#redraw();
    }

    dispose() {
        this.#ending.abort();
        this.all().forEach(chart => chart.dispose());
    }

    #redraw() {
        if (!this.#picture) return;
        const { from, to } = this.#picture;
        this.#windows = inView(this.#picture.windows, from, to);
        for (const [name, [rowsOf, nameOf, shadeOf]] of Object.entries(STACKED)) {
            this.#stacked(name, stacks(this.#windows, rowsOf, nameOf), shadeOf);
        }
        this.#lines('times', percentiles(this.#windows));
        this.#tell();
    }

    #stacked(name, { names, steps }, shadeOf) {
        const highest = Math.max(1, ...steps.map(({ tops }) => tops.at(-1) ?? 0));
        this.#names[name] = names;
        this.#put(name, names.map((one, index) => area(one, index, steps, highest, shadeOf(one))), 'value');
    }

    #lines(name, series) {
        const values = series.flatMap(({ data }) => data.map(([, value]) => value).filter(value => value > 0));
        const wide = values.length > 0 && Math.max(...values) > 30 * Math.min(...values);
        this.#put(name, series.map(one => ({
            ...line(wide ? positive(one) : one, shade(one.name)),
            lineStyle: { width: 1.6, color: shade(one.name), type: one.name === 'max' ? 'dotted' : 'solid' },
        })), wide ? 'log' : 'value');
    }

    #put(name, series, scale) {
        const { from, to } = this.#picture;
        const first = series[0] ?? line({ name: '', data: [] }, colour('muted'));
        this.#charts[name].draw({
            xAxis: { min: from, max: to },
            yAxis: valueAxis(scale),
            series: [{ ...first, ...this.#marks() }, ...series.slice(1)],
        });
    }

    /** The seams between history and live, and the stretch that was picked. */
    #marks() {
        const { seams, selected, from, to } = this.#picture;
        const shown = seams.filter(seam => seam >= from && seam <= to);
        const last = seams.at(-1);
        return {
            markLine: {
                silent: true,
                symbol: 'none',
                lineStyle: { color: colour('even'), type: 'dashed', width: 1 },
                label: { color: colour('even'), fontSize: 10, position: 'insideEndTop', rotate: 0, formatter: mark => mark.name },
                data: shown.map(seam => ({ xAxis: seam, name: seam === last ? 'history | live' : 'reconnected' })),
            },
            markArea: {
                silent: true,
                itemStyle: { color: colour('ink'), opacity: 0.18 },
                data: selected ? [[{ xAxis: selected[0] }, { xAxis: selected[1] }]] : [],
            },
        };
    }

    #pointed(time) {
        this.#pointer = time;
        this.#tell();
    }

    /** The values at the pointer, or of the newest window that is over. */
    #tell() {
        if (!this.#picture) return;
        const { from, to } = this.#picture;
        const inside = this.#pointer !== null && this.#pointer >= from && this.#pointer <= to;
        const window = inside ? inView(this.#windows, this.#pointer, this.#pointer + 1)[0] : this.#newest();
        this.all().forEach(chart => chart.cross(inside ? this.#pointer : null));
        const when = inside ? this.#pointer : window?.begin;
        for (const [name, [rowsOf, nameOf, shadeOf]] of Object.entries(STACKED)) {
            const values = window ? ratesOf(window, rowsOf, nameOf, new Set(this.#names[name])) : new Map();
            this.#legend(name, when, this.#names[name].map(one => [one, shadeOf(one), figure(values.get(one) ?? 0)]));
        }
        this.#legend('times', when, PERCENTILES.map(one => [one, shade(one), window?.time ? figure(window.time[one]) : '–']));
    }

    #newest() {
        return this.#picture.open ? this.#windows.at(-2) ?? this.#windows.at(-1) : this.#windows.at(-1);
    }

    #legend(name, when, entries) {
        render(html`<div class="mono">${when === undefined ? nothing : clock(when)}</div>
            ${entries.map(([one, shadeOf, value]) => html`<div class="entry" title=${one}><i .style=${`background:${shadeOf}`}></i><span>${one}</span><b>${value}</b></div>`)}`,
        this.#legends[name]);
    }
}

/** One name's part of the stack: a polygon, made once for the series. */
function area(name, index, steps, highest, fill) {
    return {
        type: 'custom',
        name,
        color: fill,
        silent: true,
        clip: true,
        encode: { x: 0, y: 1 },
        data: steps.length > 0 ? [[steps[0].from, 0], [steps.at(-1).to, highest]] : [],
        renderItem: (params, api) => (params.dataIndexInside === 0
            ? { type: 'polygon', shape: { points: outline(steps, index, api) }, style: { fill } }
            : null),
    };
}

function outline(steps, index, api) {
    const above = [];
    const below = [];
    let end = null;
    for (const { from, to, tops } of steps) {
        const [left, top] = api.coord([from, tops[index]]);
        const [right, bottom] = api.coord([to, index === 0 ? 0 : tops[index - 1]]);
        if (end !== null && from > end) {
            const [before, zero] = api.coord([end, 0]);
            above.push([before, zero], [left, zero]);
            below.push([before, zero], [left, zero]);
        }
        above.push([left, top], [right, top]);
        below.push([left, bottom], [right, bottom]);
        end = to;
    }
    return above.concat(below.reverse());
}

const positive = ({ name, data }) => ({ name, data: data.map(([time, value]) => [time, value > 0 ? value : null]) });

const shade = name => colour({ p50: 's0', p90: 's1', p99: 's5' }[name] ?? 'others');

function line({ name, data }, shadeOf) {
    return { type: 'line', name, data, showSymbol: false, symbol: 'none', color: shadeOf, emphasis: { disabled: true }, silent: true };
}

function valueAxis(type) {
    const style = axisStyle();
    return { type, ...style, splitNumber: 4, axisLabel: { ...style.axisLabel, formatter: compact }, minorSplitLine: { show: false } };
}

function looks() {
    return {
        grid: { left: 44, right: 14, top: 16, bottom: 20 },
        xAxis: { type: 'time', ...axisStyle(), splitLine: { show: false } },
        yAxis: valueAxis('value'),
        series: [],
    };
}
