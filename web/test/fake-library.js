/**
 * A recorder for tests: segments of fragments, answered as a recorder answers.
 */
export const second = 1e6;

/**
 * @param {number} startUs
 * @param {object} [options]
 * @param {number} [options.count] of fragments
 * @param {number} [options.keyEvery] fragments to a group of pictures
 */
export function segment(startUs, { count = 5, us = 2 * second, keyEvery = 1, generation = 0, video = 'avc1.42e01f', audio = '', sound = audio ? 10 : 0, open = false, bytes = 100 } = {}) {
  const fragments = Array.from({ length: count }, (_, i) => ({
    startUs: startUs + i * us, durationUs: us, mediaStart: (i * us * 9) / 100, offset: 50 + i * (bytes + sound), bytes: bytes + sound, videoBytes: bytes,
    key: i % keyEvery === 0,
  }));
  return {
    id: `main.${startUs}${generation ? `.g${generation}` : ''}`, startUs, endUs: startUs + count * us, initBytes: 50, bytes: 50 + count * (bytes + sound),
    video, width: 640, height: 360, audio, open, signed: false, fragments,
  };
}

export class FakeLibrary {
  /** Queries, as "from-to" in seconds. */
  asked = [];

  /** @param {ReturnType<typeof segment>[]} segments @param {{ limitUs?: number }} [options] */
  constructor(segments, { limitUs = 900 * second } = {}) {
    this.all = segments;
    this.limitUs = limitUs;
  }

  async segments(_, { fromMs, toMs, signal }) {
    signal?.throwIfAborted();
    this.asked.push(`${Math.round(fromMs / 1000)}-${toMs / 1000 > 1e7 ? '' : Math.round(toMs / 1000)}`);
    const [from, to] = [Math.floor(fromMs) * 1000, toMs * 1000];
    const found = [];
    let left = this.limitUs;
    for (const each of this.all.filter(({ startUs, endUs }) => startUs < to && endUs > from)) {
      const last = each.fragments.findLastIndex(({ startUs }) => startUs < to);
      let first = each.fragments.findIndex(({ startUs, durationUs }) => startUs + durationUs > from);
      while (first > 0 && !each.fragments[first].key) first -= 1;
      const fragments = each.fragments.slice(first, last + 1);
      const some = fragments.filter(({ durationUs }) => (left -= durationUs) >= 0);
      if (some.length > 0) found.push({ ...each, fragments: some });
      if (some.length < fragments.length) return { segments: found, more: true };
    }
    return { segments: found, more: false };
  }

  async timeline(_, { toMs }) {
    this.asked.push('timeline');
    const ranges = this.all.filter(({ startUs }) => startUs < toMs * 1000).map(({ startUs, endUs }) => [startUs / 1000, Math.min(toMs, endUs / 1000)]);
    return { ranges };
  }
}
