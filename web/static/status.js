/**
 * What a player says: turns the state of a publisher, a camera and a picture
 * into one state with words that a person understands.
 *
 * @typedef {'connecting' | 'live' | 'stalled' | 'offline' | 'unsupported' | 'forbidden' | 'unreachable' |
 *   'no-signaling' | 'no-route' | 'no-camera' | 'error'} PlayerState
 *
 * @typedef {object} Status
 * @property {PlayerState} state
 * @property {string} title
 * @property {string} detail
 * @property {boolean} [retry] whether trying at once may help
 *
 * @typedef {object} Picture
 * @property {boolean} seen whether a frame of this stream was shown
 * @property {boolean} moving whether frames are being shown now
 */

/** What to say about a session that could not be made. @type {Record<string, Status>} */
const problems = {
  forbidden: {
    state: 'forbidden',
    title: 'Not allowed yet',
    detail: 'The owner of this agent has to allow this browser. Give them its ID:',
    retry: true,
  },
  unreachable: {
    state: 'unreachable',
    title: 'Agent not reachable',
    detail: 'It is switched off, has no network, or the link is wrong. Trying again.',
    retry: true,
  },
  'no-answer': {
    state: 'unreachable',
    title: 'Agent not reachable',
    detail: 'It does not answer. Trying again.',
    retry: true,
  },
  'no-signaling': {
    state: 'no-signaling',
    title: 'No connection to the service',
    detail: 'This browser cannot reach the service that introduces it to the agent. Check its network. Trying again.',
    retry: true,
  },
  'no-route': {
    state: 'no-route',
    title: 'No route to the agent',
    detail: 'The agent answered, but a firewall or router between it and this browser lets no video through. Trying again.',
    retry: true,
  },
  busy: {
    state: 'error',
    title: 'Too many viewers',
    detail: 'The agent serves as many viewers as it can. Trying again.',
    retry: true,
  },
  no_camera: {
    state: 'no-camera',
    title: 'No such camera',
    detail: 'This agent has no camera of this name any more.',
  },
};

/**
 * @param {import('./publisher.js').PublisherState} publisher
 * @param {string} cameraId empty for the first camera
 * @param {Picture} picture
 * @param {{ canPlay: (codec: string) => boolean, now?: Date }} platform
 * @returns {Status}
 */
export function describe(publisher, cameraId, picture, { canPlay, now = new Date() }) {
  if (publisher.phase !== 'connected') return describeProblem(publisher);
  const camera = publisher.cameras?.find(({ id }) => id === cameraId);
  if (camera && !canPlay(camera.codec)) {
    return {
      state: 'unsupported',
      title: `This browser cannot play ${camera.codec}`,
      detail: 'Set the camera to H.264, or open this page in a browser that plays it, such as Safari.',
    };
  }
  if (camera?.state === 'offline') {
    return {
      state: 'offline',
      title: `Camera offline since ${clockTime(camera.since, now)}, retrying`,
      detail: sentence(camera.reason),
    };
  }
  if (publisher.cameras && cameraId !== '' && !camera) return problems.no_camera;
  const refused = publisher.refused[cameraId];
  if (refused) return { state: 'error', title: 'Camera not shown', detail: refused };
  if (camera?.state === 'connecting') {
    return { state: 'connecting', title: 'Connecting to the camera', detail: sentence(camera.reason) };
  }
  if (!picture.seen) return { state: 'connecting', title: 'Waiting for the picture', detail: '' };
  if (!picture.moving) {
    return publisher.shaky
      ? { state: 'stalled', title: 'Connection interrupted', detail: 'Reconnecting.' }
      : { state: 'stalled', title: 'The picture has stopped', detail: 'Waiting for the camera.' };
  }
  return { state: 'live', title: 'Live', detail: camera?.warning ?? '' };
}

/** @param {import('./publisher.js').PublisherState} publisher @returns {Status} */
function describeProblem({ problem }) {
  if (problem === null) return { state: 'connecting', title: 'Connecting', detail: '' };
  return (
    (Object.hasOwn(problems, problem.code) ? problems[problem.code] : undefined) ?? {
      state: 'error',
      title: 'No connection',
      detail: problem.message,
      retry: true,
    }
  );
}

/**
 * A reason that came as part of an error, as a sentence of its own.
 *
 * @param {string} reason
 * @returns {string}
 */
function sentence(reason) {
  const text = reason.trim();
  if (text === '') return '';
  return text[0].toUpperCase() + text.slice(1) + (/[.!?…]$/.test(text) ? '' : '.');
}

/**
 * The time of day, with the day if it is not today.
 *
 * @param {string} since RFC 3339
 * @param {Date} now
 * @returns {string}
 */
export function clockTime(since, now) {
  const then = new Date(since);
  if (Number.isNaN(then.getTime())) return 'a while ago';
  const time = then.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });
  if (then.toDateString() === now.toDateString()) return time;
  return `${then.toLocaleDateString('en-GB', { day: 'numeric', month: 'short' })}, ${time}`;
}
