// SPDX-License-Identifier: MIT
// Whether a report of nothing, or of very much, is a page that fits and can be used (test_browser.c).
'use strict';

const errors = [];
addEventListener('error', (event) => errors.push(event.message));

const shown = (selector) => Array.from(document.querySelectorAll(selector)).filter((each) => each.getClientRects().length);

function check(condition, what) {
	if (!condition)
		throw new Error(what);
}

function fits() {
	check(document.documentElement.scrollWidth <= innerWidth, 'the page is wider than the window');
	for (const tile of shown('.tiles > div'))
		check(tile.getBoundingClientRect().height < 160, 'a name fills the page: ' + tile.textContent);
	for (const name of shown('tbody.item:not(.open) .name'))
		check(name.getBoundingClientRect().height < 260, 'a name fills the table');
}

function searches() {
	const input = document.querySelector('.search input');
	for (const text of ['a', '']) {
		input.value = text;
		input.dispatchEvent(new Event('input', { bubbles: true }));
	}
}

// The first workers, until more are asked for.
function unfolds() {
	const all = document.querySelectorAll('.workers li:not(.axis)').length;
	const first = shown('.workers li:not(.axis)').length, [button] = shown('#workers .rest');
	check(all > 40 ? first === 32 && button : first === all && !button, `of ${all} workers it shows ${first}`);
	check(!all || shown('.workers .axis').length, 'there is no axis');
	button?.click();
	check(shown('.workers li:not(.axis)').length === all && !shown('#workers .rest').length, 'not all are shown');
}

addEventListener('load', () => {
	try {
		for (const each of [fits, unfolds, searches, fits])
			each();
		check(!errors.length, errors.join(', '));
		document.documentElement.dataset.verdict = 'passed';
	} catch (error) {
		document.documentElement.dataset.verdict = error.message;
	}
});
