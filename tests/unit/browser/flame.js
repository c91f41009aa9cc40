// SPDX-License-Identifier: MIT
// Uses the SVG flame graph as a reader would (test_browser.c), and leaves a verdict on the document's element.
(function () {
'use strict';

const svg = document.documentElement;
const $ = (selector) => svg.querySelector(selector);
const frames = Array.from(svg.querySelectorAll('.f'));
const named = (name) => frames.find((frame) => frame.getAttribute('aria-label').startsWith(name + ','));
const part = (frame) => frame.querySelector('rect').getBoundingClientRect().width / innerWidth;

function check(condition, what) {
	if (!condition)
		throw new Error(what);
}

function event(kind, target) {
	const area = target.getBoundingClientRect();
	const at = { clientX: area.left + area.width / 2, clientY: area.top + area.height / 2, bubbles: true };
	check(target.contains(document.elementFromPoint(at.clientX, at.clientY)), 'covered: ' + target.textContent);
	target.querySelector('rect').dispatchEvent(new MouseEvent(kind, at));
}

// Words above and below the frames are neither cut nor covered, however narrow the window.
function fits() {
	const words = ['.head .title', '.head .sub', '.legend text', '.foot .hint', '.foot .sub', '.share', 'foreignObject', '.button', '.f:first-of-type']
		.flatMap((selector) => Array.from(svg.querySelectorAll(selector)))
		.filter((each) => each.getClientRects().length)
		.map((each) => ({ each, area: each.getBoundingClientRect() })).filter(({ area }) => area.width);
	check($('.legend text').getBoundingClientRect().width, 'there is no legend');
	check(Math.abs(svg.viewBox.baseVal.width - innerWidth) < 1, 'on paper it would be cut');
	words.forEach(({ each, area: a }, i) => {
		check(a.left >= 0 && a.right <= innerWidth, 'cut: ' + each.textContent);
		for (const { each: other, area: b } of words.slice(i + 1))
			check(a.right <= b.left || b.right <= a.left || a.bottom <= b.top + 3 || b.bottom <= a.top + 3,
				`${each.textContent || each.className.baseVal} covers ${other.textContent || other.className.baseVal}`);
	});
}

function luminance(color) {
	const [r, g, b] = color.match(/[\d.]+/g).map((value) => (value /= 255) <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
	return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

// WCAG 2's contrast, of names on all colours that frames can have, and of other words.
function legible() {
	const frame = frames[0], rect = frame.querySelector('rect'), name = getComputedStyle(frame.querySelector('text'));
	const input = getComputedStyle($('input')), page = getComputedStyle($('.page')), own = rect.getAttribute('class');
	const pairs = [[input.color, input.backgroundColor, 'input'], [getComputedStyle($('input'), '::placeholder').color, input.backgroundColor, 'placeholder']];
	for (const each of ['.title', '.sub', '.key', '.hint', '.share'])
		pairs.push([getComputedStyle($(each)).fill, page.fill, each]);
	for (const letter of 'rulkbqwnd')
		for (let i = 0; i < (letter === 'd' ? 7 : 4); i++) {
			rect.setAttribute('class', letter + i);
			pairs.push([name.fill, getComputedStyle(rect).fill, letter + i]);
		}
	rect.setAttribute('class', own);
	for (const [a, b, what] of pairs) {
		const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y);
		check((light + 0.05) / (dark + 0.05) >= 4.5, `contrast ${((light + 0.05) / (dark + 0.05)).toFixed(2)} of ${what}`);
	}
}

function press(key, target) {
	target.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
}

function use() {
	const save = named('save'), input = $('input');
	check(window.hacked === undefined && !$('img') && frames.some((frame) => frame.getAttribute('aria-label').startsWith('<img src=x')), 'a name became markup');
	check(part(save) < 0.9, 'the frame is as wide as all');
	fits();
	legible();
	event('mousemove', save);
	check($('.tip').style.display === '' && $('.tip').textContent.includes('save'), 'no tip');
	check($('.tip').getBoundingClientRect().right <= innerWidth, 'the tip leaves the window');
	event('click', save);
	svg.classList.remove('live');
	check(part(save) > 0.85, 'a click does not zoom');
	fits();
	press('Escape', save);
	check(part(save) < 0.9, 'Escape does not zoom out');
	press('/', svg);
	check(document.activeElement === input, '/ does not go to the search');
	input.value = 'fdatasync';
	input.dispatchEvent(new Event('input', { bubbles: true }));
	check(svg.querySelectorAll('.f.hit').length === 2, 'frames found: ' + svg.querySelectorAll('.f.hit').length);
	check(/^matched [\d.]+%$/.test($('.share').textContent), 'it says ' + $('.share').textContent);
	event('click', save);
	svg.classList.remove('live');
	fits();
	press('Escape', input);
	check(!$('.f.hit') && input.value === '', 'the search does not end');
}

addEventListener('load', () => {
	try {
		use();
		svg.dataset.verdict = 'passed';
	} catch (error) {
		svg.dataset.verdict = error.message;
	}
});
})();
