// SPDX-License-Identifier: MIT
#include "emit/json.h"

#include <errno.h>
#include <stdlib.h>

#include "util/text.h"

json_t *emit_json_text(const char *s)
{
	json_t *text;
	char *valid;

	if (!s)
		return json_null();
	valid = text_utf8(s);
	if (!valid)
		return NULL;
	text = json_string(valid);
	free(valid);
	return text;
}

int emit_json_print_text(const char *s, FILE *out)
{
	json_t *text = emit_json_text(s);
	int err = 0;

	if (!text)
		err = -ENOMEM;
	else if (json_dumpf(text, out, JSON_ENCODE_ANY))
		err = -EIO;
	json_decref(text);
	return err;
}

int emit_json_put(json_t *object, const char *key, json_t *value)
{
	return json_object_set_new(object, key, value);
}

int emit_json_put_text(json_t *object, const char *key, const char *s)
{
	return emit_json_put(object, key, emit_json_text(s));
}

int emit_json_put_bool(json_t *object, const char *key, bool value)
{
	return emit_json_put(object, key, json_boolean(value));
}

int emit_json_put_number(json_t *object, const char *key, uint64_t value)
{
	return emit_json_put(object, key, json_integer(value > INT64_MAX ? INT64_MAX : value));
}

int emit_json_put_id(json_t *object, const char *key, uint64_t id)
{
	char digits[24];

	if (id <= INT64_MAX)
		return emit_json_put_number(object, key, id);
	snprintf(digits, sizeof(digits), "%llu", (unsigned long long)id);
	return emit_json_put_text(object, key, digits);
}

int emit_json_print(json_t *root, int failed, FILE *out)
{
	int err = 0;

	if (!root || failed)
		err = -ENOMEM;
	else if (json_dumpf(root, out, JSON_INDENT(2) | JSON_REAL_PRECISION(6)) ||
		 fputc('\n', out) == EOF || ferror(out))
		err = -EIO;
	json_decref(root);
	return err;
}
