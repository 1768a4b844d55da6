/**
 * The page's icons: strokes on a grid of 24, in the colour of the text around
 * them.
 */

/** @type {Record<string, string>} */
const paths = {
  sound: 'M4 9.500v5h3.500L12 18.500v-13L7.500 9.500ZM15.500 9a4.200 4.200 0 0 1 0 6M18 6.500a7.800 7.800 0 0 1 0 11',
  muted: 'M4 9.500v5h3.500L12 18.500v-13L7.500 9.500ZM16 9.700l4.600 4.600M20.600 9.700 16 14.300',
  expand: 'M4 9.500V4h5.500M20 9.500V4h-5.500M4 14.500V20h5.500M20 14.500V20h-5.500',
  shrink: 'M9.500 4v5.500H4M14.500 4v5.500H20M9.500 20v-5.500H4M14.500 20v-5.500H20',
  stats: 'M4 20h16M6.500 16v-4M12 16V5M17.500 16V9',
  window: 'M3.500 5h17v14h-17ZM12 12h6v4.500h-6Z',
  grid: 'M4 4h6.500v6.500H4ZM13.500 4H20v6.500h-6.500ZM4 13.500h6.500V20H4ZM13.500 13.500H20V20h-6.500Z',
  sun: 'M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8ZM12 2.500v2M12 19.500v2M2.500 12h2M19.500 12h2M5.300 5.300l1.400 1.400M17.300 17.300l1.400 1.400M18.700 5.300l-1.400 1.400M6.700 17.300l-1.400 1.400',
  moon: 'M19.500 14.200A8 8 0 0 1 9.800 4.500a8 8 0 1 0 9.700 9.700Z',
  key: 'M14.500 3.500a6 6 0 0 0-5.700 7.800L3.500 16.600v3.900h3.900v-2.300h2.300v-2.300h1.600l1.400-1.400a6 6 0 1 0 1.800-11ZM16.300 7.700h.01',
  copy: 'M9 9h11v11H9ZM5.500 15H4V4h11v1.500',
  done: 'M5 12.500l4.500 4.500L19 7.500',
  close: 'M6 6l12 12M18 6 6 18',
  offline: 'M3 7h11.500v10H7M14.500 11l6-3.200v8.400l-6-3.200M3 3l18 18',
  lock: 'M6 11h12v9.500H6ZM8.500 11V7.500a3.500 3.500 0 0 1 7 0V11',
  unplug: 'M8.500 4v4.500M15.500 4v4.500M6 8.500h12v3a6 6 0 0 1-12 0ZM12 17.500V21',
  route: 'M5 16a2.500 2.500 0 1 0 0 5 2.500 2.500 0 0 0 0-5ZM19 3a2.500 2.500 0 1 0 0 5 2.500 2.500 0 0 0 0-5ZM7.500 18.500H12M16.500 5.500H12M9.500 9.500l5 5M14.500 9.500l-5 5',
  warning: 'M12 4 2.800 20h18.400ZM12 10.500v4M12 17.300h.01',
  film: 'M4 5h16v14H4ZM8.500 5v14M15.500 5v14M4 9.500h4.500M4 14.500h4.500M15.500 9.500H20M15.500 14.500H20',
  retry: 'M19.500 12a7.500 7.500 0 1 1-2.200-5.300L19.500 9M19.500 4v5h-5',
  camera: 'M3 7h11.500v10H3ZM14.500 11l6-3.200v8.400l-6-3.200',
  share: 'M6 9.500a2.500 2.500 0 1 0 0 5 2.500 2.500 0 0 0 0-5ZM18 3.500a2.500 2.500 0 1 0 0 5 2.500 2.500 0 0 0 0-5ZM18 15.500a2.500 2.500 0 1 0 0 5 2.500 2.500 0 0 0 0-5ZM8.200 10.800l7.500-3.600M8.200 13.200l7.500 3.600',
  people: 'M9 4.500a3.300 3.300 0 1 0 0 6.600 3.300 3.300 0 0 0 0-6.600ZM3 19.500c0-3.300 2.700-5.500 6-5.500s6 2.200 6 5.500M15.500 4.900a3.300 3.300 0 0 1 0 5.800M17 14.300c2.400.600 4 2.500 4 5.200',
  person: 'M12 4a3.700 3.700 0 1 0 0 7.400A3.700 3.700 0 0 0 12 4ZM5 20c0-3.600 3.100-6 7-6s7 2.400 7 6',
  device: 'M3.500 5h17v11h-17ZM8.500 20h7M12 16v4',
  recorder: 'M4 5h16v6H4ZM4 13h16v6H4ZM7.500 8h.01M7.500 16h.01M11 8h5.500M11 16h5.500',
  clock: 'M12 3.500a8.500 8.500 0 1 0 0 17 8.500 8.500 0 0 0 0-17ZM12 7.500V12l3 2',
  mail: 'M3.500 5.500h17v13h-17ZM4 6.500l8 6.500 8-6.500',
  arrow: 'M5 12h14M13 6l6 6-6 6',
  play: 'M7.500 5v14l11.500-7Z',
  pause: 'M8.500 5.500v13M15.500 5.500v13',
  'step-back': 'M15.500 6 8.500 12l7 6ZM5.500 6.500v11',
  'step-on': 'M8.500 6l7 6-7 6ZM18.500 6.500v11',
  'event-back': 'M11.500 7 6.500 12l5 5M17 9.500a2.500 2.500 0 1 0 0 5 2.500 2.500 0 0 0 0-5Z',
  'event-on': 'M12.500 7l5 5-5 5M7 9.500a2.500 2.500 0 1 0 0 5 2.500 2.500 0 0 0 0-5Z',
  calendar: 'M4 6h16v14H4ZM4 10.500h16M8.500 3.500V7M15.500 3.500V7',
  back: 'M14.500 6l-6 6 6 6',
  next: 'M9.500 6l6 6-6 6',
  'zoom-in': 'M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14ZM16 16l4.500 4.500M11 8v6M8 11h6',
  'zoom-out': 'M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14ZM16 16l4.500 4.500M8 11h6',
  mark: 'M8.500 5H5v14h3.500M15.500 5H19v14h-3.500M12 10v4',
  download: 'M12 4v11M7 10.500l5 5 5-5M4.500 20h15',
  privacy: 'M4 4l16 16M10 5.700a9.600 9.600 0 0 1 2-.200c5 0 8.500 4 9.500 6.500a11 11 0 0 1-2.600 3.700M6.300 7.400A11.600 11.600 0 0 0 2.500 12c1 2.500 4.500 6.500 9.500 6.500a9.300 9.300 0 0 0 4-.900M10 10.200a2.800 2.800 0 0 0 3.900 3.900',
};

/**
 * @param {string} name
 * @returns {SVGSVGElement} hidden from screen readers: what it stands for has a label
 */
export function icon(name) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  path.setAttribute('d', paths[name] ?? '');
  svg.append(path);
  return svg;
}

/**
 * Changes the icon of an element that has one.
 *
 * @param {Element} element
 * @param {string} name
 */
export function setIcon(element, name) {
  const path = element.querySelector('.icon path');
  if (path && path.getAttribute('d') !== paths[name]) path.setAttribute('d', paths[name] ?? '');
}
