// Runs in every page before its own scripts: remembers the peer connections
// and offers window.e2e to the tests. It looks at the page from outside: by
// what the video shows, and by what WebRTC reports.

export function install() {
  const connections = [];
  let epochMs;
  const Native = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Native {
    constructor(...args) {
      super(...args);
      connections.push(this);
    }
  };

  /** All elements that match, in shadow trees too. */
  function all(selector, root = document) {
    const found = [...root.querySelectorAll(selector)];
    for (const element of root.querySelectorAll('*')) {
      if (element.shadowRoot) found.push(...all(selector, element.shadowRoot));
    }
    return found;
  }

  /** The n-th video that has a picture. */
  const video = (n = 0) => all('video').filter((v) => v.videoWidth > 0)[n];

  /** The wall clock at performance.now() = 0; timeOrigin may be some milliseconds off. */
  function epoch() {
    let offset = Infinity;
    // Date.now() is cut to whole milliseconds, so the largest difference is the true one.
    for (const end = performance.now() + 5; performance.now() < end;) {
      offset = Math.min(offset, performance.now() - Date.now());
    }
    return -offset;
  }

  /** Waits for the next presented frame and reads the stamp in its pixels. */
  async function stamp(n = 0) {
    const v = video(n);
    if (!v) return null;
    const { readStamp } = await import('/stamp.js');
    const canvas = new OffscreenCanvas(640, 32);
    const context = canvas.getContext('2d', { willReadFrequently: true });
    const since = (epochMs ??= epoch());
    return new Promise((resolve) => {
      v.requestVideoFrameCallback((now, frame) => {
        context.drawImage(v, 0, 0, 640, 32, 0, 0, 640, 32);
        const read = readStamp(context.getImageData(0, 0, 640, 32));
        resolve(read && {
          ...read,
          lagMs: since + frame.presentationTime - read.timeMs,
          width: frame.width, height: frame.height, presented: frame.presentedFrames,
        });
      });
    });
  }

  /** Stamps of n frames in a row. */
  async function stamps(count, n = 0) {
    const read = [];
    while (read.length < count) read.push(await stamp(n));
    return read;
  }

  /** One end of a candidate pair, for people. */
  const end = (c) => (c ? `${c.candidateType} ${c.address ?? '-'}:${c.port}/${c.protocol}` : '');

  /** What WebRTC reports about the newest connection that is alive. */
  async function rtc() {
    const pc = connections.findLast((c) => c.connectionState === 'connected') ?? connections.at(-1);
    if (!pc) return null;
    const report = [...(await pc.getStats()).values()];
    const first = (type, test = () => true) => report.find((s) => s.type === type && test(s)) ?? {};
    const transport = first('transport');
    const pair = report.find((s) => s.id === transport.selectedCandidatePairId) ?? {};
    const inbound = first('inbound-rtp', (s) => s.kind === 'video');
    const local = report.find((s) => s.id === pair.localCandidateId);
    const remote = report.find((s) => s.id === pair.remoteCandidateId);
    const codec = report.find((s) => s.id === inbound.codecId) ?? {};
    return {
      connections: connections.length,
      live: connections.filter((c) => c.connectionState === 'connected').length,
      state: pc.connectionState,
      srtpCipher: transport.srtpCipher ?? '',
      dtlsRole: transport.dtlsRole ?? '',
      framesDecoded: inbound.framesDecoded ?? 0,
      framesDropped: inbound.framesDropped ?? 0,
      keyFramesDecoded: inbound.keyFramesDecoded ?? 0,
      packetsLost: inbound.packetsLost ?? 0,
      freezeCount: inbound.freezeCount ?? 0,
      jitterBufferDelayMs: inbound.jitterBufferEmittedCount
        ? (1000 * inbound.jitterBufferDelay) / inbound.jitterBufferEmittedCount : 0,
      width: inbound.frameWidth ?? 0,
      height: inbound.frameHeight ?? 0,
      codec: codec.mimeType ?? '',
      roundTripMs: 1000 * (pair.currentRoundTripTime ?? 0),
      local: end(local),
      remote: end(remote),
      relayed: local?.candidateType === 'relay' || remote?.candidateType === 'relay',
      relayProtocol: local?.relayProtocol ?? '',
    };
  }

  /** What WebRTC reports of the picture of each camera, by the camera's id. */
  async function received() {
    const byTrack = {};
    for (const pc of connections) {
      const report = [...(await pc.getStats()).values()];
      for (const s of report.filter(({ type, kind }) => type === 'inbound-rtp' && kind === 'video')) {
        byTrack[s.trackIdentifier] = {
          codec: report.find(({ id }) => id === s.codecId)?.mimeType ?? '', width: s.frameWidth ?? 0,
          framesDecoded: s.framesDecoded ?? 0, packetsLost: s.packetsLost ?? 0,
        };
      }
    }
    const found = {};
    for (const player of all('sl-player')) {
      const [track] = all('video', player.shadowRoot ?? player).flatMap((v) => v.srcObject?.getVideoTracks() ?? []);
      if (track && byTrack[track.id]) found[player.dataset.camera] = byTrack[track.id];
    }
    return found;
  }

  /** Frames decoded by all connections of the page so far. */
  async function framesDecoded() {
    let sum = 0;
    for (const pc of connections) {
      for (const s of (await pc.getStats()).values()) {
        if (s.type === 'inbound-rtp' && s.kind === 'video') sum += s.framesDecoded ?? 0;
      }
    }
    return sum;
  }

  /** The sound that all connections of the page have received so far, as energy. */
  async function soundEnergy() {
    let sum = 0;
    for (const pc of connections) {
      for (const s of (await pc.getStats()).values()) {
        if (s.type === 'inbound-rtp' && s.kind === 'audio') sum += s.totalAudioEnergy ?? 0;
      }
    }
    return sum;
  }

  /** How many different colours the picture has in a coarse grid: a black or grey one has few. */
  function colours(n = 0) {
    const v = video(n);
    if (!v) return 0;
    const canvas = new OffscreenCanvas(32, 18);
    const context = canvas.getContext('2d');
    context.drawImage(v, 0, 0, 32, 18);
    const { data } = context.getImageData(0, 0, 32, 18);
    const seen = new Set();
    for (let i = 0; i < data.length; i += 4) seen.add(((data[i] >> 5) << 6) | ((data[i + 1] >> 5) << 3) | (data[i + 2] >> 5));
    return seen.size;
  }

  /** States of the players, in the order of the page. */
  const states = () => all('sl-player').map((p) => p.dataset.state ?? '');

  /** What a person can read in the page, shadow trees included. */
  function text(root = document.body) {
    let out = '';
    for (const node of root?.childNodes ?? []) { // a page that loads has no body yet
      if (node.nodeType === Node.TEXT_NODE) out += node.data + ' ';
      if (node.nodeType !== Node.ELEMENT_NODE || ['STYLE', 'SCRIPT', 'TEMPLATE'].includes(node.tagName)) continue;
      if (!node.checkVisibility() && node.tagName !== 'SLOT' && getComputedStyle(node).display !== 'contents') continue;
      out += text(node.shadowRoot ?? node);
    }
    return out.replace(/\s+/g, ' ');
  }

  window.e2e = { all, video, stamp, stamps, rtc, received, framesDecoded, soundEnergy, colours, states, text };
}
