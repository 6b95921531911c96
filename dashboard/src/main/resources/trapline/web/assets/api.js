// Questions to the server; what it answers with an error becomes one sentence.

export class Refusal extends Error {
    constructor(status, message) {
        super(message);
        this.status = status;
    }
}

export const part = encodeURIComponent;

export function get(path, signal) {
    return ask(path, { signal });
}

export function post(path, body, headers = {}) {
    return ask(path, { method: 'POST', body, headers: { 'X-Trapline': '1', ...headers } });
}

export function remove(path) {
    return ask(path, { method: 'DELETE', headers: { 'X-Trapline': '1' } });
}

async function ask(path, options) {
    let response;
    try {
        response = await fetch(path, { cache: 'no-store', credentials: 'same-origin', ...options });
    } catch (failure) {
        if (failure.name === 'AbortError') throw failure;
        throw new Refusal(0, 'trapline serve does not answer: is it still running?');
    }
    const text = await response.text();
    const answer = parsed(text);
    if (!response.ok) throw new Refusal(response.status, sentence(response, answer));
    if (answer === undefined && text !== '') throw new Refusal(response.status, `${path} did not answer with JSON`);
    return answer;
}

function parsed(text) {
    try {
        return JSON.parse(text);
    } catch {
        return undefined;
    }
}

function sentence(response, answer) {
    if (answer && typeof answer.error === 'string') return answer.error;
    if (response.status === 401) return 'not signed in: open the address that trapline serve printed, with its token';
    return `the server answered ${response.status} ${response.statusText}`.trim();
}

/** Runs questions one at a time: a newer one aborts the one that is under way. */
export class Latest {
    #under = null;

    async ask(question) {
        this.cancel();
        const mine = new AbortController();
        this.#under = mine;
        try {
            const answer = await question(mine.signal);
            return mine.signal.aborted ? undefined : answer;
        } catch (failure) {
            if (failure.name === 'AbortError' || mine.signal.aborted) return undefined;
            throw failure;
        } finally {
            if (this.#under === mine) this.#under = null;
        }
    }

    get busy() {
        return this.#under !== null;
    }

    cancel() {
        this.#under?.abort();
        this.#under = null;
    }
}
