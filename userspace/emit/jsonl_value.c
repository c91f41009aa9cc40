// SPDX-License-Identifier: MIT
/* Values of fields as JSON. */
#include <inttypes.h>
#include <jansson.h>
#include <stdbool.h>
#include <string.h>

#include "core/causes.h"
#include "emit/json.h"
#include "emit/jsonl_fields.h"
#include "emit/names.h"
#include "util/syscalls.h"

#define NUMBER "{\"type\": \"integer\", \"minimum\": 0}"
#define ADDRESS "{\"type\": \"string\", \"pattern\": \"^0x[0-9a-f]+$\"}"
#define NAMES(names) "{\"type\": \"array\", \"items\": {\"enum\": [" names "]}}"

const char *jsonl_form_schema(enum jsonl_form form)
{
	static const char *const schemas[JSONL_FORMS] = {
		[JSONL_NUMBER] = NUMBER,
		[JSONL_NUMBER_OR_NULL] = "{\"type\": [\"integer\", \"null\"], \"minimum\": 0}",
		[JSONL_POSITIVE] = "{\"type\": [\"integer\", \"null\"], \"minimum\": 1}",
		[JSONL_SIGNED] = "{\"type\": [\"integer\", \"null\"]}",
		[JSONL_ID] = "{\"type\": [\"integer\", \"string\", \"null\"], \"minimum\": 0}",
		[JSONL_ID_OR_NULL] =
			"{\"type\": [\"integer\", \"string\", \"null\"], \"minimum\": 1}",
		[JSONL_BOOL] = "{\"type\": \"boolean\"}",
		[JSONL_TEXT] = "{\"type\": \"string\"}",
		[JSONL_ADDRESS] = ADDRESS,
		[JSONL_ADDRESSES_KERNEL] = "{\"type\": \"array\", \"items\": " ADDRESS "}",
		[JSONL_ADDRESSES_USER] = "{\"type\": \"array\", \"items\": " ADDRESS "}",
		[JSONL_FRAMES] =
			"{\"type\": \"array\", \"minItems\": 1, \"items\": {\"type\": \"object\","
			" \"properties\": {\"function\": {\"type\": \"string\"},"
			" \"file\": {\"type\": \"string\"}, \"line\": " NUMBER "},"
			" \"required\": [\"function\", \"file\", \"line\"]}}",
		[JSONL_EVENT] = "{\"type\": \"string\"}",
		[JSONL_END] = "{\"enum\": [\"duration\", \"interrupted\", \"target-exited\"]}",
		[JSONL_CAUSE] = "{\"enum\": [\"run-queue\", \"syscall\", \"page-fault\","
				" \"memory\", \"stopped\", \"other\"]}",
		[JSONL_WAKER] = "{\"enum\": [\"none\", \"thread\", \"interrupt\", \"kernel\"]}",
		[JSONL_SYSCALL] = "{\"type\": [\"string\", \"null\"]}",
		[JSONL_CAPABILITIES] =
			NAMES("\"poll\", \"wake\", \"spawn\", \"terminate\", \"abort\","
			      " \"worker\", \"park\", \"blocking\", \"block_on\","
			      " \"ids_reused\", \"polls_overlap\", \"await\","
			      " \"awaits_refused\""),
		[JSONL_FLAGS] = NAMES("\"ready\", \"clipped\", \"in_progress\", \"uncertain\","
				      " \"unsettled\", \"inside_poll\""),
	};

	return schemas[form];
}

/* Reads an unsigned number; signed ones are not smaller than 32 bits. */
static uint64_t number_of(const struct jsonl_field *field, const void *at)
{
	uint64_t number = 0;

	_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the low bytes come first");
	memcpy(&number, at, field->size);
	return number;
}

/* jansson's integers, and those of most who read them, end at 2^63. */
static void print_number(uint64_t number, FILE *out)
{
	fprintf(out, "%" PRIu64, number > INT64_MAX ? INT64_MAX : number);
}

static void print_id(uint64_t id, FILE *out)
{
	fprintf(out, id > INT64_MAX ? "\"%" PRIu64 "\"" : "%" PRIu64, id);
}

static int print_text(const char *text, FILE *out)
{
	if (*text)
		return emit_json_print_text(text, out);
	fputs("\"\"", out);
	return 0;
}

/* Names of ours: nothing to escape. */
static void print_name(const char *name, FILE *out)
{
	if (name)
		fprintf(out, "\"%s\"", name);
	else
		fputs("null", out);
}

static void print_bits(uint32_t bits, const char *const *names, size_t n, FILE *out)
{
	const char *between = "";

	fputc('[', out);
	for (size_t i = 0; i < n; i++) {
		if (!(bits & 1u << i) || !names[i])
			continue;
		fprintf(out, "%s\"%s\"", between, names[i]);
		between = ",";
	}
	fputc(']', out);
}

static void print_capabilities(uint32_t bits, FILE *out)
{
	const char *names[16];
	size_t n = 0;

	while (emit_capability_name(n)) {
		names[n] = emit_capability_name(n);
		n++;
	}
	print_bits(bits, names, n, out);
}

static void print_flags(uint32_t bits, FILE *out)
{
	/* In the order of the bits. */
	static const char *const names[] = {"ready",     "clipped", "in_progress", "uncertain",
					    "unsettled", NULL,      NULL,          "inside_poll"};

	print_bits(bits, names, sizeof(names) / sizeof(names[0]), out);
}

static const char *waker_name(uint64_t waker)
{
	switch (waker) {
	case EVENT_WAKER_THREAD:
		return "thread";
	case EVENT_WAKER_INTERRUPT:
		return "interrupt";
	case EVENT_WAKER_KERNEL:
		return "kernel";
	default:
		return "none";
	}
}

static void print_addresses(const uint64_t *addresses, size_t n, FILE *out)
{
	fputc('[', out);
	for (size_t i = 0; i < n; i++)
		fprintf(out, "%s\"0x%" PRIx64 "\"", i ? "," : "", addresses[i]);
	fputc(']', out);
}

static int print_frames(const struct event_symbol *symbol, FILE *out)
{
	int err = 0;

	fputc('[', out);
	for (uint32_t i = 0; i < symbol->nframes; i++) {
		fputs(i ? ",{\"function\":" : "{\"function\":", out);
		err = err ? err : print_text(symbol->frames[i].function, out);
		fputs(",\"file\":", out);
		err = err ? err : print_text(symbol->frames[i].file, out);
		fprintf(out, ",\"line\":%" PRIu32 "}", symbol->frames[i].line);
	}
	fputc(']', out);
	return err;
}

static void print_plain(const struct jsonl_field *field, uint64_t number, FILE *out)
{
	uint64_t largest = UINT64_MAX >> (64 - 8 * field->size);
	bool is_id = field->form == JSONL_ID || field->form == JSONL_ID_OR_NULL;
	bool zero_is_null = field->form == JSONL_POSITIVE || field->form == JSONL_ID_OR_NULL;
	bool largest_is_null = is_id || field->form == JSONL_NUMBER_OR_NULL;

	if ((zero_is_null && !number) || (largest_is_null && number == largest))
		fputs("null", out);
	else if (is_id)
		print_id(number, out);
	else
		print_number(number, out);
}

int jsonl_value_print(const struct jsonl_field *field, const struct event *event, const char *arch,
		      FILE *out)
{
	const void *at = (const char *)event + field->offset;
	const struct event_stack *stack = at;
	uint64_t number = field->size <= sizeof(number) ? number_of(field, at) : 0;

	switch ((enum jsonl_form)field->form) {
	case JSONL_SIGNED:
		if ((int32_t)number == -1)
			fputs("null", out);
		else
			fprintf(out, "%" PRId32, (int32_t)number);
		break;
	case JSONL_BOOL:
		fputs(number ? "true" : "false", out);
		break;
	case JSONL_TEXT:
		return print_text(*(const char *const *)at, out);
	case JSONL_ADDRESS:
		fprintf(out, "\"0x%" PRIx64 "\"", number);
		break;
	case JSONL_ADDRESSES_KERNEL:
		print_addresses(stack->frames, stack->nkernel, out);
		break;
	case JSONL_ADDRESSES_USER:
		print_addresses(stack->frames + stack->nkernel, stack->nuser, out);
		break;
	case JSONL_FRAMES:
		return print_frames(at, out);
	case JSONL_EVENT:
		print_name(emit_event_name(number), out);
		break;
	case JSONL_END:
		print_name(emit_end_name(number), out);
		break;
	case JSONL_CAUSE:
		print_name(causes_event_name(number), out);
		break;
	case JSONL_WAKER:
		print_name(waker_name(number), out);
		break;
	case JSONL_SYSCALL:
		print_name(syscall_name(arch, (int32_t)number), out);
		break;
	case JSONL_CAPABILITIES:
		print_capabilities(number, out);
		break;
	case JSONL_FLAGS:
		print_flags(number, out);
		break;
	default:
		print_plain(field, number, out);
		break;
	}
	return 0;
}
