/* histogram.ts: the API's series over time as bars of a width that can be seen. */
export interface Graph {
    xmin: number | null;
    xmax: number | null;
    interval: number;
    sessionsHisto?: [number, number][];
    [series: string]: unknown;
}

export interface Bars {
    /** Beginning of the first bar and length of one, in ms. */
    from: number;
    step: number;
    src: number[];
    dst: number[];
    max: number;
}

export const METRICS: Record<string, { title: string; src: string; dst?: string; unit: 'number' | 'bytes' }> = {
    sessions: { title: 'Sessions', src: 'sessionsHisto', unit: 'number' },
    bytes: { title: 'Bytes', src: 'source.bytesHisto', dst: 'destination.bytesHisto', unit: 'bytes' },
    packets: { title: 'Packets', src: 'source.packetsHisto', dst: 'destination.packetsHisto', unit: 'number' },
    data: { title: 'Payload', src: 'client.bytesHisto', dst: 'server.bytesHisto', unit: 'bytes' },
};

const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800, 1209600, 2592000];

/** A whole number of the series' intervals, so that no bar has more of them than its neighbour. */
export function stepFor(span: number, interval: number, most: number): number {
    const least = span / 1000 / Math.max(1, most);
    const found = STEPS.find((s) => s >= least && s >= interval && s % interval === 0);
    return (found ?? Math.ceil(least / interval) * interval) * 1000;
}

export function barsMake(graph: Graph, metric: string, window: [number, number], most: number): Bars {
    const m = METRICS[metric] ?? METRICS.sessions;
    const step = stepFor(window[1] - window[0], Math.max(1, graph.interval), most);
    const from = Math.floor(window[0] / step) * step;
    const count = Math.max(1, Math.min(4000, Math.ceil((window[1] - from) / step)));
    const fill = (name: string | undefined): number[] => {
        const bars = new Array<number>(count).fill(0);
        for (const [at, n] of (name ? (graph[name] as [number, number][] | undefined) : undefined) ?? []) {
            const i = Math.floor((at - from) / step);
            if (i >= 0 && i < count) {
                bars[i] += n;
            }
        }
        return bars;
    };
    const src = fill(m.src);
    const dst = fill(m.dst);
    let max = 0;
    for (let i = 0; i < count; i++) {
        max = Math.max(max, src[i] + dst[i]);
    }
    return { from, step, src, dst, max };
}

/** Moments for the axis: whole in the reader's zone. */
export function ticksMake(window: [number, number], most: number, east: number): number[] {
    const span = (window[1] - window[0]) / 1000;
    const step = (STEPS.find((s) => span / s <= most) ?? STEPS[STEPS.length - 1]) * 1000;
    const shift = east * 60000;
    const ticks: number[] = [];
    for (let t = Math.ceil((window[0] + shift) / step) * step - shift; t <= window[1] && ticks.length < 40; t += step) {
        ticks.push(t);
    }
    return ticks;
}
