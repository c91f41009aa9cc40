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

function press(key, target) {
	target.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
}

function use() {
	const save = named('save'), input = $('input');
	check(window.hacked === undefined && !$('img') && frames.some((frame) => frame.getAttribute('aria-label').startsWith('<img src=x')), 'a name became markup');
	check(part(save) < 0.9, 'the frame is as wide as all');
	event('mousemove', save);
	check($('.tip').style.display === '' && $('.tip').textContent.includes('save'), 'no tip');
	check($('.tip').getBoundingClientRect().right <= innerWidth, 'the tip leaves the window');
	event('click', save);
	svg.classList.remove('live');
	check(part(save) > 0.85, 'a click does not zoom');
	press('Escape', save);
	check(part(save) < 0.9, 'Escape does not zoom out');
	press('/', svg);
	check(document.activeElement === input, '/ does not go to the search');
	input.value = 'fdatasync';
	input.dispatchEvent(new Event('input', { bubbles: true }));
	check(svg.querySelectorAll('.f.hit').length === 2, 'frames found: ' + svg.querySelectorAll('.f.hit').length);
	check(/^matched [\d.]+%$/.test($('.share').textContent), 'it says ' + $('.share').textContent);
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
