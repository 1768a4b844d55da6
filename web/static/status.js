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
    title: 'This browser has no access',
    detail: 'Ask the owner for an invite and open its link here. They may also allow this browser by its ID:',
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

/** A browser that is refused now and was let in before. @type {Status} */
const accessLost = {
  state: 'forbidden',
  title: 'This browser has no access any more',
  detail:
    'Its access has ended or was taken away. Or its key is not the one that was paired: clearing site data makes a new one. ' +
    'Ask the owner for a new invite. This browser’s ID:',
  retry: true,
};

/**
 * @param {import('./publisher.js').PublisherState} publisher
 * @param {string} cameraId empty for the first camera
 * @param {Picture} picture
 * @param {object} platform
 * @param {(codec: string) => boolean} platform.canPlay
 * @param {boolean} [platform.known] whether this browser has seen the publisher's cameras before
 * @param {Date} [platform.now]
 * @returns {Status}
 */
export function describe(publisher, cameraId, picture, { canPlay, known = false, now = new Date() }) {
  if (publisher.phase !== 'connected') {
    return known && publisher.problem?.code === 'forbidden' ? accessLost : describeProblem(publisher);
  }
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
 * @typedef {object} ClaimStatus why a link gave no access
 * @property {string} title
 * @property {string} detail
 * @property {boolean} retry whether the same link may still work
 */

/** How a new link is had. */
const anew = {
  pair: 'Run sightline pair on the device for a new link.',
  invite: 'Ask whoever invited you for a new link.',
};

/** What to say about a link that gave no access. @type {Record<string, (kind: 'pair' | 'invite') => ClaimStatus>} */
const claimProblems = {
  expired: (kind) => ({
    title: 'This link has expired',
    detail: `${kind === 'pair' ? 'A link for pairing works for ten minutes.' : 'An invite works for a limited time only.'} ${anew[kind]}`,
    retry: false,
  }),
  used: (kind) => ({
    title: 'This link was used already',
    detail:
      kind === 'pair'
        ? 'It works once. If that was not you, run sightline pair --reset on the device now: it makes the agent forget who paired.'
        : 'It works once. If that was not you, tell whoever invited you, so that they can take the access away.',
    retry: false,
  }),
  wrong_proof: (kind) => ({
    title: 'This link is not the right one',
    detail: `The agent and the link do not have the same secret: the link is an older one, or somebody else answers in the agent’s place. Nothing was given away. ${anew[kind]}`,
    retry: false,
  }),
  locked: () => ({
    title: 'Too many wrong links',
    detail: 'Somebody has tried several wrong secrets. The agent listens to nobody for a while, to stop guessing.',
    retry: true,
  }),
  pairing_closed: (kind) => ({
    title: kind === 'pair' ? 'Pairing is not open' : 'No invite is open',
    detail:
      kind === 'pair'
        ? 'A link for pairing works once, for ten minutes. Run sightline pair on the device for a new one. If somebody else has used it, run sightline pair --reset.'
        : 'The link was used already, has expired, or was taken back. Ask whoever invited you for a new link.',
    retry: false,
  }),
};

/**
 * What to say about a link that gave no access.
 *
 * @param {import('./publisher.js').Problem} problem
 * @param {'pair' | 'invite'} kind
 * @returns {ClaimStatus}
 */
export function describeClaim({ code, message }, kind) {
  if (Object.hasOwn(claimProblems, code)) return claimProblems[code](kind);
  const known = Object.hasOwn(problems, code) && code !== 'forbidden' ? problems[code] : null;
  if (!known) return { title: 'That did not work', detail: sentence(message), retry: true };
  return { title: known.title, detail: known.detail.replace(/ Trying again\.$/, ' The link is not used up.'), retry: true };
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
