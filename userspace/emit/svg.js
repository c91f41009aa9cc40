// SPDX-License-Identifier: MIT
// Hover, zoom, search and keys. A frame is a <g class="f"> with what it weighs in data-s (start), data-v (value) and
// data-d (depth), in preorder; its <title> holds its name, then lines about it. All of that comes from a traced
// program: it is only ever read as text.
(function () {
'use strict';

const svg = document.currentScript?.ownerSVGElement || document.documentElement;
const PAD = +svg.dataset.pad, TOP = +svg.dataset.top, ROW = +svg.dataset.row;
const LINE = 18;
const INSIDE = 'inside' in svg.dataset; // of a page, which searches
const MARGIN = 4; // between a box and its text
const LEAST = 0.5; // narrower boxes are not drawn: nobody could see them

function element(name, attributes, parent) {
	const made = document.createElementNS(svg.namespaceURI, name);
	for (const key in attributes)
		made.setAttribute(key, attributes[key]);
	return parent ? parent.appendChild(made) : made;
}

const path = [];
const frames = Array.from(svg.querySelectorAll('.f'), (g) => {
	const title = g.querySelector('title');
	const [name, ...about] = title.textContent.split('\n');
	const frame = {
		g, name, about, rect: g.querySelector('rect'), text: g.querySelector('text'),
		start: +g.dataset.s, value: +g.dataset.v, depth: +g.dataset.d, children: [], visible: true,
	};
	frame.parent = path[frame.depth - 1];
	frame.parent?.children.push(frame);
	path[frame.depth] = frame;
	title.remove(); // the tip shows it
	g.setAttribute('role', 'treeitem');
	g.setAttribute('aria-level', frame.depth + 1);
	g.setAttribute('aria-label', name + ', ' + about.join(', '));
	g.setAttribute('tabindex', '-1');
	return frame;
});
if (!frames.length)
	return;
const root = frames[0];
const byGroup = new Map(frames.map((frame) => [frame.g, frame]));
let view = root, pattern = null, settling = 0;
let width = 0, headed = 0, footed = 0, top = TOP, rows = 1; // where words end, and frames begin and end

// ---- text that fits ---------------------------------------------------------------------------

function characterWidth() {
	const probe = element('text', {}, root.g);
	probe.textContent = 'M'.repeat(100);
	const measured = probe.getComputedTextLength() / 100;
	probe.remove();
	return measured || 7.25;
}
const columnWidth = characterWidth();
const columnsOf = (character) => (character.codePointAt(0) >= 0x1100 ? 2 : 1);

// As text_shorten() of the tracer: the middle gives way to …, of short boxes the end.
function shorten(name, columns) {
	const characters = Array.from(name);
	let total = 0;
	for (const character of characters)
		total += columnsOf(character);
	if (total <= columns)
		return name;
	let head = columns < 12 ? columns - 1 : Math.floor((columns - 1) / 2), tail = columns - 1 - head;
	let first = '', last = '';
	for (const character of characters) {
		head -= columnsOf(character);
		if (head < 0)
			break;
		first += character;
	}
	for (const character of characters.reverse()) {
		tail -= columnsOf(character);
		if (tail < 0)
			break;
		last = character + last;
	}
	return first + '…' + last;
}

function label(frame, boxWidth) {
	const columns = Math.floor((boxWidth - 2 * MARGIN) / columnWidth);
	const text = columns >= 3 ? shorten(frame.name, columns) : '';
	if (!frame.text) {
		if (!text)
			return;
		frame.text = element('text', { x: MARGIN, y: ROW - 7 }, frame.g);
	}
	if (frame.text.textContent !== text)
		frame.text.textContent = text;
}

// ---- drawing ----------------------------------------------------------------------------------

const contains = (outer, inner) => outer.depth <= inner.depth && outer.start <= inner.start &&
	outer.start + outer.value >= inner.start + inner.value;

function place(frame, x, boxWidth) {
	const drawn = boxWidth > 3 ? boxWidth - 1 : boxWidth * 0.75;
	frame.g.style.transform = `translate(${PAD + x}px, ${top + frame.depth * ROW}px)`;
	frame.rect.style.width = drawn + 'px';
	label(frame, drawn);
}

function draw() {
	const inner = width - 2 * PAD, scale = inner / view.value;
	rows = 1;
	for (const frame of frames) {
		frame.above = frame !== view && contains(frame, view);
		frame.visible = frame.above || (contains(view, frame) && frame.value * scale >= LEAST);
		frame.g.style.display = frame.visible ? '' : 'none';
		frame.g.classList.toggle('above', frame.above);
		if (frame.visible)
			rows = Math.max(rows, frame.depth + 1);
	}
	arrange();
	for (const frame of frames) {
		if (frame.above)
			place(frame, 0, inner);
		else if (frame.visible)
			place(frame, (frame.start - view.start) * scale, frame.value * scale);
	}
	resetButton.style.display = view === root ? 'none' : '';
	mark();
}

function zoom(frame) {
	hideTip();
	view = frame;
	draw();
	focusable(frame);
}

function resize() {
	hideTip();
	width = Math.max(svg.getBoundingClientRect().width, 280);
	headed = INSIDE ? 3 : stack(head, HEAD, width - 2 * PAD);
	footed = stack(foot, FOOT, width - 2 * PAD) - FOOT;
	svg.classList.remove('live');
	draw();
	// Of several in a row only the last turns animation on again.
	cancelAnimationFrame(settling);
	settling = requestAnimationFrame(() => settling = requestAnimationFrame(() => {
		if (frames.length < 4000)
			svg.classList.add('live');
	}));
}

// ---- what stands around the frames ------------------------------------------------------------

// Breaks a text into lines that fit. Returns how many.
function wrap(text, room, step) {
	const words = Array.from(text.childNodes).flatMap((node) =>
		(node.textContent.match(/[^ ]* |[^ ]+/g) || []).map((word) => [word, node.className?.baseVal || '']));
	let lines = 1, used = 0;
	text.replaceChildren();
	text.style.whiteSpace = 'pre'; // a word's length holds the space after it
	for (const [word, name] of words) {
		const part = element('tspan', { class: name }, text);
		part.textContent = word;
		const length = part.getComputedTextLength();
		if (used && used + length > room) {
			part.setAttribute('x', PAD);
			part.setAttribute('dy', step);
			lines++;
			used = 0;
		}
		used += length;
	}
	return lines;
}

// Texts below each other, the first at y. Returns where the next would be.
function stack(group, y, room) {
	for (const text of group.children) {
		const title = text.matches('.title'), step = title ? 23 : LINE;
		text.setAttribute('y', y);
		y += step * wrap(text, title ? room - 112 : room, step);
	}
	return y;
}

// Lays the legend out in as many lines as it needs. Returns how many.
function explain(room) {
	let x = 0, lines = 1;
	for (const { rect, text, size } of keys) {
		if (x && x + size > room) {
			x = 0;
			lines++;
		}
		const y = headed + 16 * (lines - 1);
		rect.setAttribute('x', PAD + x);
		rect.setAttribute('y', y);
		text.setAttribute('x', PAD + x + 18);
		text.setAttribute('y', y + 10);
		x += size + 20;
	}
	return lines;
}

// Search and what it found stand beside the legend; on a small page, where there is no room for both, below it.
function arrange() {
	const inner = width - 2 * PAD, beside = INSIDE ? 242 : 360;
	const small = keys.reduce((sum, key) => sum + key.size + 20, 0) > inner - beside;
	const lines = explain(small ? inner : inner - beside);
	const below = small && (!INSIDE || view !== root || share.textContent);
	const row = headed + (below ? 16 * lines + 12 : 0), searchWidth = Math.min(240, Math.max(100, inner - 200));
	box.setAttribute('x', width - PAD - searchWidth);
	box.setAttribute('y', row - 8);
	box.setAttribute('width', searchWidth);
	share.setAttribute('x', width - PAD - (INSIDE ? 112 : searchWidth + 12));
	share.setAttribute('y', row + 10);
	resetButton.setAttribute('transform', `translate(${width - PAD - 100}, ${INSIDE ? row - 3 : 16})`);
	top = (below ? row : headed + 16 * (lines - 1)) + 33;
	const end = top + rows * ROW, height = end + footed + 8;
	foot.setAttribute('transform', `translate(0, ${end + LINE - FOOT})`);
	svg.setAttribute('height', height);
	svg.setAttribute('viewBox', `0 0 ${width} ${height}`);
	page?.setAttribute('height', Math.max(height, window.innerHeight));
}

// ---- search -----------------------------------------------------------------------------------

// Marks what matches, and says its share of the view: a match inside a match counts once.
function mark() {
	let matched = 0, counted = -1;
	for (const frame of frames) {
		const hit = pattern !== null && pattern.test(frame.name);
		frame.g.classList.toggle('hit', hit);
		if (hit && contains(view, frame) && frame.start >= counted) {
			matched += frame.value;
			counted = frame.start + frame.value;
		}
	}
	share.textContent = pattern === null ? '' :
		`matched ${(100 * matched / view.value).toFixed(1)}%${view === root ? '' : ' of the view'}`;
	const before = top;
	arrange();
	if (top !== before)
		draw();
}

function search() {
	input.classList.remove('bad');
	pattern = null;
	try {
		if (input.value)
			pattern = new RegExp(input.value, 'i');
	} catch {
		input.classList.add('bad');
	}
	mark();
}

function clearSearch() {
	input.value = '';
	search();
}

// ---- tip --------------------------------------------------------------------------------------

function hideTip() {
	tip.style.display = 'none';
}

function tipLine(text, className, row) {
	const line = element('text', { x: 10, y: 20 + 17 * row, class: className }, tip);
	line.textContent = text;
	return line.getComputedTextLength();
}

function showTip(frame, x, y) {
	const room = Math.max(24, Math.floor((Math.min(width, 760) - 60) / columnWidth));
	const characters = Array.from(shorten(frame.name, 6 * room)), lines = [];
	for (let i = 0; i < characters.length; i += room)
		lines.push(characters.slice(i, i + room).join(''));
	tip.replaceChildren();
	tip.style.display = '';
	const back = element('rect', { width: 0, height: 17 * (lines.length + frame.about.length) + 13 }, tip);
	let widest = 0, row = 0;
	for (const line of lines)
		widest = Math.max(widest, tipLine(line, 'name', row++));
	const ofView = view === root || !contains(view, frame) ? '' :
		` · ${(100 * frame.value / view.value).toFixed(1)}% of the view`;
	for (const [i, line] of frame.about.entries())
		widest = Math.max(widest, tipLine(i ? line : line + ofView, 'info', row++));
	back.setAttribute('width', widest + 20);
	const tipHeight = +back.getAttribute('height'), bottom = window.innerHeight - svg.getBoundingClientRect().top;
	const left = Math.max(4, Math.min(x + 14, width - widest - 28));
	const top = y + 18 + tipHeight > bottom ? y - tipHeight - 8 : y + 18;
	tip.setAttribute('transform', `translate(${left}, ${top})`);
}

// ---- keys and pointer -------------------------------------------------------------------------

let reachable = root;
function focusable(frame) {
	reachable.g.setAttribute('tabindex', '-1');
	reachable = frame;
	frame.g.setAttribute('tabindex', '0');
}

function moveTo(frame) {
	if (!frame)
		return;
	focusable(frame);
	frame.g.focus();
	const area = frame.g.getBoundingClientRect(), origin = svg.getBoundingClientRect();
	showTip(frame, area.left - origin.left, area.bottom - origin.top - 12);
}

function beside(frame, step) {
	const row = frames.filter((other) => other.visible && other.depth === frame.depth);
	return row[row.indexOf(frame) + step];
}

function neighbour(frame, key) {
	switch (key) {
	case 'ArrowUp':
		return frame.parent;
	case 'ArrowDown':
		return frame.children.find((child) => child.visible);
	case 'ArrowLeft':
		return beside(frame, -1);
	case 'ArrowRight':
		return beside(frame, 1);
	case 'Home':
		return view;
	}
	return undefined;
}

function key(event) {
	const frame = byGroup.get(document.activeElement);
	const plain = !event.ctrlKey && !event.metaKey && !event.altKey;
	const finds = (event.ctrlKey || event.metaKey) && event.key === 'f' ||
		plain && event.key === '/' && event.target !== input;
	if (!INSIDE && finds) {
		input.focus();
		input.select();
	} else if (event.key === 'Escape') {
		hideTip();
		if (!INSIDE && (pattern !== null || input.value))
			clearSearch();
		else if (view !== root)
			zoom(root);
		input.blur();
	} else if (event.target === input || !plain) {
		return;
	} else if (event.key === 'Enter' || event.key === ' ') {
		if (document.activeElement === resetButton)
			zoom(root);
		else if (frame)
			zoom(frame);
		else
			return;
	} else if (neighbour(frame || view, event.key)) {
		moveTo(neighbour(frame || view, event.key));
	} else {
		return;
	}
	event.preventDefault();
}

function hover(event) {
	const frame = byGroup.get(event.target.closest('.f')), origin = svg.getBoundingClientRect();
	if (frame)
		showTip(frame, event.clientX - origin.left, event.clientY - origin.top);
	else
		hideTip();
}

// ---- the controls -----------------------------------------------------------------------------

const tip = element('g', { class: 'tip' });
const legend = svg.querySelector('.legend');
const keys = Array.from(legend.querySelectorAll('rect'), (rect) =>
	({ rect, text: rect.nextElementSibling, size: 18 + rect.nextElementSibling.getBBox().width }));
const head = svg.querySelector('.head'), foot = svg.querySelector('.foot'), page = svg.querySelector('.page');
const HEAD = +head?.firstElementChild.getAttribute('y'), FOOT = +foot.firstElementChild.getAttribute('y');
const share = element('text', { class: 'share', 'aria-live': 'polite' }, svg);
const box = element('foreignObject', { height: 28 }, INSIDE ? null : svg);
const input = document.createElementNS('http://www.w3.org/1999/xhtml', 'input');
input.setAttribute('placeholder', 'Search (regex)');
input.setAttribute('aria-label', 'Search frames by regular expression');
input.setAttribute('spellcheck', 'false');
box.appendChild(input);
const resetButton = element('g', { class: 'button', role: 'button', tabindex: '0', 'aria-label': 'Reset zoom' }, svg);
element('rect', { width: 100, height: 26, rx: 6 }, resetButton);
element('text', { x: 50, y: 17 }, resetButton).textContent = 'Reset zoom';
svg.appendChild(tip);
svg.querySelector('.hint').textContent =
	`Click or Enter zooms in, Esc back out · ${INSIDE ? '' : '/ or Ctrl-F searches · '}arrow keys move`;

svg.setAttribute('role', 'tree');
if (INSIDE)
	svg.setAttribute('aria-label', 'Flame graph');
svg.setAttribute('width', '100%');
svg.setAttribute('preserveAspectRatio', 'xMinYMin'); // as large as the window is, or the paper
svg.style.minHeight = INSIDE ? '' : '100vh';
input.addEventListener('input', search);
resetButton.addEventListener('click', () => zoom(root));
svg.addEventListener('click', (event) => {
	const frame = byGroup.get(event.target.closest('.f'));
	if (frame)
		zoom(frame);
});
svg.addEventListener('mousemove', hover);
svg.addEventListener('mouseleave', hideTip);
svg.addEventListener('search', (event) => {
	pattern = event.detail;
	mark();
});
(INSIDE ? svg : document).addEventListener('keydown', key);
window.addEventListener('resize', resize);
focusable(root);
hideTip();
resize();
})();
