// Which stretch of time the charts show: the newest so many seconds, or one that was chosen and stays.
import { remember } from '/assets/router.js';

export const SPANS = [[60, '1 min'], [300, '5 min'], [900, '15 min'], [3600, '1 h'], [0, 'all']];
const SHORTEST = 2_000;
const FIRST_SPAN = 300;

export class Stretch {
    /** Seconds that are followed; 0 is all there is; null while `fixed` holds. */
    span;
    fixed = null;

    constructor(query) {
        this.read(query);
    }

    read(query) {
        this.fixed = pair(query.get('view'));
        const span = Number(query.get('span') ?? NaN);
        this.span = this.fixed ? null : Number.isFinite(span) && span >= 0 ? span : null;
    }

    get follows() {
        return this.fixed === null;
    }

    /** From when to when, of a session that is known from `begin` to `end`. */
    bounds(begin, end, open) {
        if (this.fixed) return this.fixed;
        const span = this.span ?? (open ? FIRST_SPAN : 0);
        const from = span === 0 ? begin : Math.max(end - 1000 * span, begin);
        return [from, Math.max(end, from + SHORTEST)];
    }

    follow(span) {
        this.span = span;
        this.fixed = null;
        remember({ span, view: null });
    }

    zoom(bounds, factor, around) {
        const [from, to] = bounds;
        const middle = around ?? (from + to) / 2;
        const length = Math.max(SHORTEST, (to - from) * factor);
        const share = (middle - from) / (to - from);
        this.#fix(middle - share * length, middle + (1 - share) * length);
    }

    move(bounds, millis) {
        this.#fix(bounds[0] + millis, bounds[1] + millis);
    }

    show(from, to) {
        this.#fix(from, Math.max(to, from + SHORTEST));
    }

    #fix(from, to) {
        this.fixed = [Math.round(from), Math.round(to)];
        this.span = null;
        remember({ span: null, view: this.fixed.join('-') });
    }
}

/** Two times as `FROM-TO`, or null. */
export function pair(text) {
    const match = /^(\d{1,15})-(\d{1,15})$/.exec(text ?? '');
    if (!match) return null;
    const [from, to] = [Number(match[1]), Number(match[2])];
    return from < to ? [from, to] : null;
}
