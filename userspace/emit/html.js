// SPDX-License-Identifier: MIT
// Folds, sorts, searches and points at what the page holds already. Nothing is made of markup: what comes from a traced
// program is only ever read and shown as text.
(function () {
'use strict';

document.documentElement.classList.add('js');
const all = (selector, within) => Array.from((within || document).querySelectorAll(selector));
const flame = document.querySelector('.flame svg');

function element(name, properties, ...children) {
	const made = Object.assign(document.createElement(name), properties);
	made.append(...children);
	return made;
}

// ---- folding ----------------------------------------------------------------------------------

function fold(item, open) {
	item.classList.toggle('open', open);
	item.querySelector('.fold').setAttribute('aria-expanded', open);
}

const foldable = all('tbody.item').filter((item) => item.querySelector('.more'));
for (const item of foldable) {
	const name = item.querySelector('.name');
	const button = element('button', { className: 'fold', type: 'button', ariaLabel: 'Details of ' + name.textContent });
	name.before(button);
	item.classList.add('folds');
	fold(item, false);
	item.rows[0].addEventListener('click', (event) => {
		const selects = String(getSelection()) && event.target !== button;
		if (!selects && !event.target.closest('a'))
			fold(item, !item.classList.contains('open'));
	});
}

for (const section of all('section')) {
	const items = foldable.filter((item) => section.contains(item));
	if (items.length < 2)
		continue;
	const button = element('button', { className: 'all', type: 'button' }, 'open all');
	button.addEventListener('click', () => {
		const open = button.textContent === 'open all';
		items.forEach((item) => fold(item, open));
		button.textContent = open ? 'close all' : 'open all';
	});
	section.querySelector('h2').append(button);
}

// ---- long tables ------------------------------------------------------------------------------

// The first few, until more are asked for; a search looks at all.
function show(list, whole) {
	list.classList.toggle('short', !whole);
	list.closest('section').querySelector('.rest').hidden = whole;
}

function shorten(list, length) {
	const button = element('button', { className: 'rest', type: 'button' }, `show all ${length}`);
	button.addEventListener('click', () => show(list, true));
	(list.closest('.scroll') || list).after(button);
	show(list, false);
}

const longTables = all('.scroll > table').filter((table) => table.tBodies.length > 20);
longTables.forEach((table) => shorten(table, table.tBodies.length));

// A link to a poll shows what is known of it.
function follow() {
	const item = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
	if (!item || item.tagName !== 'TBODY')
		return;
	if (longTables.includes(item.parentNode))
		show(item.parentNode, true);
	if (item.classList.contains('folds'))
		fold(item, true);
	item.scrollIntoView({ block: 'center' });
}
addEventListener('hashchange', follow);
follow();

// ---- sorting ----------------------------------------------------------------------------------

function valueOf(item, column) {
	const cell = item.rows[0].cells[column];
	return cell.dataset.v === undefined ? cell.textContent.trim().toLowerCase() : +cell.dataset.v;
}

const compare = (a, b) => (typeof a === 'number' ? a - b : a.localeCompare(b));

function sort(table, heads, column) {
	const now = heads[column].getAttribute('aria-sort');
	const first = heads[column].classList.contains('num') ? 'descending' : 'ascending';
	const order = now !== first ? first : first === 'ascending' ? 'descending' : 'ascending';
	const sign = order === 'ascending' ? 1 : -1;
	heads.forEach((head) => head.removeAttribute('aria-sort'));
	heads[column].setAttribute('aria-sort', order);
	all('tbody.item', table)
		.map((item) => ({ item, value: valueOf(item, column) }))
		.sort((a, b) => sign * compare(a.value, b.value))
		.forEach(({ item }) => table.append(item));
}

for (const table of all('.scroll > table')) {
	const heads = Array.from(table.tHead.rows[0].cells);
	heads.forEach((head, column) => {
		const label = head.firstChild;
		const button = element('button', { type: 'button', title: label.title }, label.textContent);
		button.addEventListener('click', () => sort(table, heads, column));
		label.replaceWith(button);
	});
}

// ---- search -----------------------------------------------------------------------------------

const searched = all('tbody.item').map((item) => ({
	item,
	section: item.closest('section'),
	texts: all('.name, .at, .cause, .target, .full, .stack li, td:not(.num):not([colspan])', item),
	opened: false, // by the search
}));
const input = element('input', {
	type: 'search', spellcheck: false, placeholder: 'Search types, tasks, frames ( / )',
	ariaLabel: 'Search task types, tasks and frames by regular expression',
});
const found = element('output', {});
document.querySelector('nav').append(element('div', { className: 'search' }, found, input));

function patternOf(text) {
	try {
		return text ? new RegExp(text, 'i') : null;
	} catch {
		return new RegExp(text.replace(/[^\w\s]/g, '\\$&'), 'i'); // as it stands
	}
}

// Shows what matches; where only its details do, those too.
function filter(entry, pattern) {
	const hits = pattern ? entry.texts.filter((text) => pattern.test(text.textContent)) : [];
	entry.texts.forEach((text) => text.classList.toggle('hit', hits.includes(text)));
	entry.item.hidden = pattern !== null && !hits.length;
	const inside = hits.length > 0 && hits.every((hit) => hit.closest('.more'));
	if (inside && !entry.item.classList.contains('open')) {
		fold(entry.item, true);
		entry.opened = true;
	} else if (!inside && entry.opened) {
		fold(entry.item, false);
		entry.opened = false;
	}
	return hits.length > 0;
}

function search() {
	const pattern = patternOf(input.value.trim());
	const counts = new Map();
	for (const entry of searched)
		counts.set(entry.section.id, (counts.get(entry.section.id) || 0) + filter(entry, pattern));
	if (pattern)
		longTables.forEach((table) => show(table, true));
	flame?.dispatchEvent(new CustomEvent('search', { detail: pattern }));
	const parts = Array.from(counts, ([id, count]) => `${count} ${count === 1 ? id.slice(0, -1) : id}`);
	const share = flame?.querySelector('.share')?.textContent.match(/[\d.]+%/);
	found.textContent = pattern ? parts.concat(share ? `${share[0]} of the flame` : []).join(' · ') : '';
}

input.addEventListener('input', search);
document.addEventListener('keydown', (event) => {
	if (event.key === '/' && event.target !== input && !event.ctrlKey && !event.metaKey && !event.altKey) {
		input.focus();
		input.select();
		event.preventDefault();
	} else if (event.key === 'Escape' && event.target === input) {
		input.value = '';
		search();
		input.blur();
	}
});

// ---- workers over time ------------------------------------------------------------------------

const workers = document.querySelector('.workers');
const tooltip = element('div', { className: 'tooltip', hidden: true, role: 'status' });
document.body.append(tooltip);
const LAYERS = [
	['oncpu', 'on CPU'], ['runqueue', 'run queue'], ['blocked', 'blocked'], ['between', 'busy between polls'],
];

// As text_duration() of the tracer: three digits.
function duration(ns) {
	const units = [[1e9, 's'], [1e6, 'ms'], [1e3, 'µs']];
	const [unit, name] = units.find(([size]) => ns >= size) || [1, 'ns'];
	return ns ? Number((ns / unit).toPrecision(3)) + name : '0';
}

function share(ns, whole) {
	return ns ? (100 * ns / whole).toFixed(1) + '%' : '–';
}

function prepare(chart) {
	const slices = chart.dataset.slices.split(';').map((slice) => slice.split(',').map(Number));
	const width = +workers.dataset.slice, end = +workers.dataset.duration;
	const parks = 'parks' in chart.dataset, layers = parks ? LAYERS : LAYERS.slice(0, 3);
	const cursor = element('div', { className: 'cursor', hidden: true });
	let at = 0;
	chart.append(cursor);
	chart.tabIndex = 0;
	chart.setAttribute('role', 'group');
	chart.setAttribute('aria-label', chart.parentNode.querySelector('.name').textContent + ' over time; arrow keys move');

	function show(x, y) {
		const from = at * width, to = Math.min(from + width, end), sum = slices[at].reduce((a, b) => a + b);
		tooltip.replaceChildren(element('div', {}, element('b', {}, `+${duration(from)}`),
			element('span', { className: 'at' }, `${duration(to - from)} long`)));
		const since = 'sampled' in workers.dataset ? +workers.dataset.sampled : Infinity;
		const last = layers.length, untimed = from + width > since ? (parks ? 3 : last) : -1;
		layers.concat([['parked', parks ? 'parked' : 'in no poll']]).forEach(([name, text], i) => {
			const ns = i === last ? to - from - sum : slices[at][i];
			if (i === untimed)
				[name, text] = ['untimed', text + ', or not timed'];
			tooltip.append(element('div', {}, element('span', {}, element('i', { className: name }), text),
				element('span', {}, share(ns, to - from))));
		});
		tooltip.hidden = cursor.hidden = false;
		cursor.style.left = 100 * (from + to) / 2 / end + '%';
		tooltip.style.left = Math.max(4, Math.min(x + 14, innerWidth - tooltip.offsetWidth - 8)) + 'px';
		tooltip.style.top = (y + 18 + tooltip.offsetHeight > innerHeight ? y - tooltip.offsetHeight - 10 : y + 18) + 'px';
	}
	function hide() {
		tooltip.hidden = cursor.hidden = true;
	}
	function step(to) {
		const area = chart.getBoundingClientRect();
		at = Math.max(0, Math.min(slices.length - 1, to));
		show(area.left + area.width * Math.min((at + 0.5) * width / end, 1), area.bottom - 12);
	}

	function point(event) {
		const area = chart.getBoundingClientRect();
		const time = (event.clientX - area.left) / area.width * end;
		at = Math.max(0, Math.min(slices.length - 1, Math.floor(time / width)));
		show(event.clientX, event.clientY);
	}

	chart.addEventListener('pointerdown', point);
	chart.addEventListener('pointermove', point);
	// A finger's tip stays: it is gone with the next touch elsewhere.
	chart.addEventListener('pointerleave', (event) => event.pointerType === 'touch' || hide());
	chart.addEventListener('blur', hide);
	addEventListener('scroll', hide, { passive: true });
	chart.addEventListener('keydown', (event) => {
		const steps = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: slices.length - 1 };
		if (event.key === 'Escape')
			hide();
		if (event.target !== chart || !(event.key in steps))
			return;
		step(steps[event.key]);
		event.preventDefault();
	});
}
if (workers) {
	const lines = all('li:not(.axis)', workers);
	all('.chart[data-slices]', workers).forEach(prepare);
	if (lines.length > 40)
		shorten(workers, lines.length);
}
})();
