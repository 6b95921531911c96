// One ECharts canvas in an element: sized with it, coloured by the theme, still while its tab is hidden.
import * as echarts from '/lib/echarts.js';
import { colour, onTheme } from '/assets/theme.js';

export const MONO = 'ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace';

/** Many rectangles, `[left, top, width, height]`, drawn as one. */
echarts.graphic.registerShape('rectangles', echarts.graphic.extendShape({
    shape: { list: [] },
    buildPath(path, { list }) {
        for (const [left, top, width, height] of list) path.rect(left, top, width, height);
    },
}));

export class Chart {
    #make;
    #chart;
    #resizing;
    #theming;
    #drawn = null;
    #lines = new Map();

    /** `make` gives the options that depend on colours only; it is asked again after a change of theme. */
    constructor(element, make) {
        this.element = element;
        this.#make = make;
        this.#chart = echarts.init(element, null, { renderer: 'canvas' });
        this.#resizing = new ResizeObserver(() => this.#chart.resize());
        this.#resizing.observe(element);
        this.#theming = onTheme(() => this.#recolour());
        this.#chart.setOption({ ...common(), ...make() });
    }

    get echarts() {
        return this.#chart;
    }

    /** Draws series and axes; `series` replaces what was there. */
    draw(option) {
        this.#drawn = option;
        this.#chart.setOption(option, { replaceMerge: ['series'], lazyUpdate: false });
    }

    /** Where on the x axis a mouse event is. */
    at(event) {
        const box = this.element.getBoundingClientRect();
        return this.#chart.convertFromPixel({ xAxisIndex: 0 }, event.clientX - box.left);
    }

    /** Where a place on the x axis is, from the left edge of the element. */
    pixel(x) {
        return this.#chart.convertToPixel({ xAxisIndex: 0 }, x);
    }

    /** A line of a CSS class down the chart, at a place on the x axis, or none. */
    cross(x, name = 'cross') {
        if (!this.#lines.has(name)) {
            const added = document.createElement('div');
            added.className = name;
            this.element.append(added);
            this.#lines.set(name, added);
        }
        const line = this.#lines.get(name);
        const px = x === null ? null : this.pixel(x);
        line.style.display = px === null || px < 0 || px > this.element.clientWidth ? 'none' : 'block';
        line.style.left = `${px}px`;
    }

    dispose() {
        this.#resizing.disconnect();
        this.#theming();
        this.#chart.dispose();
    }

    #recolour() {
        const option = this.#drawn;
        this.#chart.clear();
        this.#chart.setOption({ ...common(), ...this.#make() });
        if (option) this.onRecolour ? this.onRecolour() : this.draw(option);
    }
}

export const axisStyle = () => ({
    axisLine: { lineStyle: { color: colour('rule') } },
    axisTick: { lineStyle: { color: colour('rule') } },
    axisLabel: { color: colour('muted'), fontSize: 11, hideOverlap: true },
    splitLine: { lineStyle: { color: colour('hair') } },
    nameTextStyle: { color: colour('muted'), fontSize: 11 },
});

function common() {
    return {
        animation: false,
        textStyle: { fontFamily: 'system-ui, "DejaVu Sans", sans-serif' },
        aria: { enabled: false },
    };
}
