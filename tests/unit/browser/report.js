// SPDX-License-Identifier: MIT
// Uses the HTML report as a reader would (test_browser.c), and leaves a verdict on the document's element.
'use strict';

const errors = [];
addEventListener('error', (event) => errors.push(event.message));
document.addEventListener('securitypolicyviolation', (event) => errors.push('blocked: ' + event.blockedURI));

const $ = (selector, within) => (within || document).querySelector(selector);
const $$ = (selector, within) => Array.from((within || document).querySelectorAll(selector));

function check(condition, what) {
	if (!condition)
		throw new Error(what);
}

// Where an element can be hit by a pointer.
function point(target) {
	target.scrollIntoView({ block: 'center', inline: 'nearest' });
	const area = target.getBoundingClientRect();
	const x = Math.min(area.left + area.width / 2, innerWidth - 4), y = area.top + area.height / 2;
	const hit = document.elementFromPoint(x, y);
	check(hit && (target.contains(hit) || hit.contains(target)), 'covered: ' + (target.id || target.className.baseVal || target.textContent));
	return { clientX: x, clientY: y, bubbles: true, cancelable: true };
}

function click(target) {
	const at = point(target);
	document.elementFromPoint(at.clientX, at.clientY).dispatchEvent(new MouseEvent('click', at));
}

function press(key, target) {
	(target || document.activeElement).dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
}

function type(text) {
	const input = $('.search input');
	input.focus();
	input.value = text;
	input.dispatchEvent(new Event('input', { bubbles: true }));
}

const shown = (target) => target.getClientRects().length > 0;
const types = () => $$('#types tbody.item');
const values = (column) => types().map((item) => +item.rows[0].cells[column].dataset.v);
const descends = (list) => list.every((value, i) => !i || list[i - 1] >= value);

// ---- legibility -------------------------------------------------------------------------------

const channels = (color) => color.match(/[\d.]+/g).map(Number);

function luminance(color) {
	const [r, g, b] = color.map((value) => (value /= 255) <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
	return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function behind(target) {
	for (; target; target = target.parentElement) {
		const color = channels(getComputedStyle(target).backgroundColor);
		if (color.length < 4 || color[3] === 1)
			return color;
	}
	return [255, 255, 255];
}

// WCAG 2's contrast, of all text but the dashes that stand for nothing.
function legible() {
	for (const target of $$('body *:not(svg *):not(script):not(style)')) {
		const own = Array.from(target.childNodes).some((node) => node.nodeType === 3 && node.data.trim());
		if (!own || !shown(target) || target.closest('.none'))
			continue;
		const [a, b] = [channels(getComputedStyle(target).color), behind(target)].map(luminance);
		const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
		check(contrast >= 4.5, `contrast ${contrast.toFixed(2)} of "${target.textContent.slice(0, 30)}" (${target.className})`);
	}
}

// ---- what a reader does -----------------------------------------------------------------------

function fits() {
	check(document.documentElement.scrollWidth <= innerWidth, 'the page is wider than the window');
	check($('.flame svg').getBoundingClientRect().right <= innerWidth, 'the flame is wider than the window');
	check(!performance.getEntriesByType('resource').length, 'something was loaded');
}

function staysText() {
	check(window.hacked === undefined, 'a name became markup');
	check(!$('img'), 'a name became an element');
	check(types().some((item) => $('.name', item).textContent.startsWith('<img src=x onerror=')), 'a name was changed');
}

function folds() {
	const [item] = types(), details = item.rows[1], button = $('.fold', item);
	check(!shown(details) && button.getAttribute('aria-expanded') === 'false', 'details are open at first');
	click(button);
	check(shown(details) && button.getAttribute('aria-expanded') === 'true', 'a click does not open details');
	check($('.cause', details).textContent === 'fdatasync', 'the causes are not those of the type');
	fits();
	click(item.rows[0].cells[1]);
	check(!shown(details), 'a click on the row does not close it');
	click($('#types .all'));
	check(types().every((each) => shown(each.rows[1])), 'not all are open');
	legible();
	click($('#types .all'));
	check(types().every((each) => !shown(each.rows[1])), 'not all are closed');
}

function sorts() {
	const heads = $$('#types .scroll > table > thead th');
	check(heads[1].getAttribute('aria-sort') === 'descending' && descends(values(1)), 'types are not sorted by polling');
	heads.forEach((head, column) => {
		const button = $('button', head);
		button.scrollIntoView({ block: 'center', inline: 'center' });
		button.click();
		if (column)
			check(descends(values(column)) && head.getAttribute('aria-sort') === 'descending', 'not sorted by ' + head.textContent);
		button.click();
		if (column)
			check(descends(values(column).reverse()) && head.getAttribute('aria-sort') === 'ascending', 'not reversed by ' + head.textContent);
		check($$('#types [aria-sort]').length === 1, 'sorted by several columns');
	});
	click($('button', heads[0]));
	const names = types().map((item) => $('.name', item).textContent.toLowerCase());
	check(names.join() === names.slice().sort((a, b) => a.localeCompare(b)).join(), 'not sorted by name');
	const item = types().find((each) => $('.name', each).textContent === 'handle_conn');
	check($('.cause', item).textContent === 'fdatasync', 'causes did not move with their type');
	$('button', heads[1]).click();
}

function searches() {
	press('/', document.body);
	check(document.activeElement === $('.search input'), '/ does not go to the search');
	type('FDATASYNC');
	const open = types().filter(shown);
	check(open.length === 1 && $('.name', open[0]).textContent === 'handle_conn', 'types found: ' + open.length);
	check(shown(open[0].rows[1]) && $('.cause.hit', open[0]), 'what was found is not shown');
	check($$('.flame .f.hit').length, 'no frame was found');
	check(/^1 type · 1 poll · 0 jobs · 0 tasks · [\d.]+% of the flame$/.test($('.search output').textContent),
		'it says ' + $('.search output').textContent);
	type('(');
	check(!errors.length, 'an expression that is none fails');
	type('no such thing');
	check(!types().filter(shown).length && !$$('.flame .f.hit').length, 'something was found');
	press('Escape');
	check($('.search input').value === '' && types().every(shown) && !$$('.hit').length, 'the search does not end');
	check(types().every((item) => !shown(item.rows[1])), 'details stay open');
}

function zooms() {
	const flame = $('.flame svg'), tip = $('.tip', flame);
	const frame = $$('.f', flame).find((each) => each.getAttribute('aria-label').startsWith('save,'));
	const whole = () => $('rect', frame).getBoundingClientRect().width / flame.getBoundingClientRect().width;
	check(whole() < 0.9, 'the frame is as wide as all');
	$('rect', frame).dispatchEvent(new MouseEvent('mousemove', point($('rect', frame))));
	check(tip.style.display === '' && tip.textContent.includes('save') && tip.textContent.includes('of all'), 'no tip');
	check(tip.getBoundingClientRect().right <= innerWidth, 'the tip leaves the window');
	flame.dispatchEvent(new MouseEvent('mouseleave'));
	check(tip.style.display === 'none', 'the tip stays');
	click($('rect', frame));
	flame.classList.remove('live');
	check(whole() > 0.98, 'a click does not zoom: ' + whole());
	const child = $$('.f', flame).find((each) => each.getAttribute('aria-label').startsWith('fdatasync,'));
	press('ArrowDown', frame);
	check(document.activeElement === child && tip.style.display === '', 'arrows do not move');
	press('Escape', child);
	check(whole() < 0.9, 'Escape does not zoom out');
	press('Enter', frame);
	check(shown($('.button', flame)), 'no way back');
	click($('.button', flame));
	check(whole() < 0.9, 'the button does not zoom out');
}

function points() {
	const charts = $$('.workers .chart[tabindex]'), [chart] = charts, tooltip = $('.tooltip');
	check(charts.length === 2, 'a worker has no chart');
	const at = point(chart), area = chart.getBoundingClientRect();
	chart.dispatchEvent(new PointerEvent('pointermove', { ...at, clientX: area.left + area.width * 0.35 }));
	check(!tooltip.hidden && tooltip.textContent.includes('+3s'), 'no tip at 3 s: ' + tooltip.textContent);
	check(tooltip.textContent.includes('blocked80.0%') && tooltip.textContent.includes('run queue2.0%'), 'it says ' + tooltip.textContent);
	check(tooltip.getBoundingClientRect().right <= innerWidth, 'the tip leaves the window');
	legible();
	press('ArrowRight', chart);
	check(tooltip.textContent.includes('+4s'), 'arrows do not move: ' + tooltip.textContent);
	press('Escape', chart);
	check(tooltip.hidden, 'the tip stays');
	chart.dispatchEvent(new PointerEvent('pointerdown', { ...at, pointerType: 'touch' }));
	chart.dispatchEvent(new PointerEvent('pointerleave', { pointerType: 'touch' }));
	check(!tooltip.hidden, 'the tip goes with the finger');
	chart.dispatchEvent(new PointerEvent('pointerleave'));
	check(tooltip.hidden, 'the tip stays with the pointer gone');
}

// In polls that were not timed, or between them: the chart cannot tell.
function tellsSampling() {
	const [chart] = $$('.workers .chart[tabindex]'), tooltip = $('.tooltip');
	$('.workers').dataset.sampled = 4e9;
	press('Home', chart);
	check(tooltip.textContent.includes('busy between polls') && !tooltip.textContent.includes('timed'), 'it says ' + tooltip.textContent);
	press('End', chart);
	check(tooltip.textContent.includes('busy between polls, or not timed') && $('i.untimed', tooltip), 'it says ' + tooltip.textContent);
	delete $('.workers').dataset.sampled;
	press('Escape', chart);
}

const apart = (a, b) => a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top;

function explains() {
	const legend = $('.flame .legend'), keys = $$('text', legend).map((key) => key.getBoundingClientRect());
	check(shown(legend) && keys.length > 3, 'the flame has no legend');
	keys.forEach((key, i) => check(key.right <= innerWidth && keys.slice(i + 1).every((other) => apart(key, other)), 'the legend has no room'));
	check(legend.getBoundingClientRect().bottom <= $('.flame .f').getBoundingClientRect().top, 'the legend covers the flame');
	check(apart(legend.getBoundingClientRect(), $('#flame h2').getBoundingClientRect()), 'the legend covers the heading');
	for (const mark of $$('.workers a.mark')) {
		const line = mark.closest('li');
		for (const text of $$('.who, .does', line))
			check(apart(mark.getBoundingClientRect(), text.getBoundingClientRect()), 'a mark covers ' + text.textContent);
	}
}

async function links() {
	const mark = $('#workers a.mark'), poll = document.getElementById(mark.getAttribute('href').slice(1));
	check(poll.rows[1] && !shown(poll.rows[1]), 'the poll is open');
	mark.click();
	await new Promise((resolve) => setTimeout(resolve, 100));
	check(shown(poll.rows[1]) && $('.stack li', poll), 'a mark does not show its poll');
}

addEventListener('load', async () => {
	let step = '';
	try {
		const items = $$('#polls tbody.item');
		check(items.filter(shown).length === 15, 'polls shown at first: ' + items.filter(shown).length);
		for (const each of [fits, staysText, legible, explains, folds, sorts, points, tellsSampling, links, zooms, searches]) {
			step = each.name;
			await each();
		}
		check($$('#polls tbody.item').filter(shown).length === 40, 'a search does not look at all polls');
		fits();
		check(!errors.length, errors.join(', '));
		document.documentElement.dataset.verdict = 'passed';
	} catch (error) {
		document.documentElement.dataset.verdict = `${step}: ${error.message}`;
	}
});
