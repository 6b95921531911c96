// One ECharts canvas in an element: sized with it, coloured by the theme, still while its tab is hidden.
import * as echarts from '/lib/echarts.js';
import { colour, onTheme } from '/assets/theme.js';

export const MONO = 'ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace';

export class Chart {
    #make;
    #chart;
    #resizing;
    #theming;
    #drawn = null;
    #line = document.createElement('div');

    /** `make` gives the options that depend on colours only; it is asked again after a change of theme. */
    constructor(element, make) {
        this.element = element;
        this.#make = make;
        this.#chart = echarts.init(element, null, { renderer: 'canvas' });
        this.#line.className = 'cross';
        element.append(this.#line);
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

    /** A line down the chart at a place on the x axis, or none. */
    cross(x) {
        const px = x === null ? null : this.#chart.convertToPixel({ xAxisIndex: 0 }, x);
        this.#line.style.display = px === null ? 'none' : 'block';
        this.#line.style.left = `${px}px`;
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
