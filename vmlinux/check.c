// SPDX-License-Identifier: MIT
/*
 * check_vmlinux HEADER OBJECT [BTF]: compares vmlinux.h with a kernel's own types, the running
 * one's unless a BTF file is given, and prints each difference. OBJECT is a BPF object with a
 * variable of every type that HEADER declares; enumerators are read from HEADER, for BTF keeps none
 * of an enum that no variable has.
 *
 * A field is there if the kernel's type of that name has one so called, perhaps inside of an
 * anonymous member, and of the same kind: integers of one size (a bit field may be moved and
 * resized, CO-RE reads it right; so may a field whose declaration has a comment with "any size"),
 * pointers to the same struct, arrays of at least that length. A type whose name has a flavour
 * (NAME___FLAVOUR) may be absent, for such stand for another version's.
 */
#include <bpf/btf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DEPTH 16 /* of anonymous members and of typedefs and qualifiers */

struct check {
	const char *header;
	struct btf *ours;
	struct btf *kernel;
	int fields;
	int enumerators;
	int differences;
};

static const char *name_of(const struct btf *btf, const struct btf_type *type)
{
	const char *name = btf__name_by_offset(btf, type->name_off);

	return name ? name : "";
}

/* Whether a and b are one name, a's flavour aside. */
static bool same_name(const char *a, const char *b)
{
	const char *flavour = strstr(a, "___");
	size_t len = flavour ? (size_t)(flavour - a) : strlen(a);

	return strlen(b) == len && !strncmp(a, b, len);
}

/* The type itself, without typedefs, qualifiers and tags. */
static const struct btf_type *resolve(const struct btf *btf, __u32 id)
{
	const struct btf_type *type = btf__type_by_id(btf, id);

	for (int i = 0; i < MAX_DEPTH && type; i++) {
		if (!btf_is_mod(type) && !btf_is_typedef(type))
			return type;
		type = btf__type_by_id(btf, type->type);
	}
	return NULL;
}

static bool is_integer(const struct btf_type *type)
{
	return btf_is_int(type) || btf_is_any_enum(type);
}

/* A struct or union, perhaps only declared here. */
static bool is_named(const struct btf_type *type)
{
	return btf_is_composite(type) || btf_is_fwd(type);
}

/* Whether the header says of a field that it is read at whatever size it has. */
static bool any_size(const struct check *check, const char *field)
{
	char line[256], *at;
	bool found = false;
	FILE *file = fopen(check->header, "re");

	while (file && !found && fgets(line, sizeof(line), file)) {
		at = strstr(line, field);
		found = at && strchr(";:", at[strlen(field)] ?: 'x') && strstr(line, "any size");
	}
	if (file)
		fclose(file);
	return found;
}

/* Says how two fields' types differ, or returns NULL. */
static const char *difference(const struct check *check, const struct btf_type *ours,
			      const struct btf_type *theirs)
{
	if (!ours || !theirs)
		return "the type cannot be read";
	if (is_integer(ours) && is_integer(theirs))
		return ours->size == theirs->size ? NULL : "another size";
	if (btf_kind(ours) != btf_kind(theirs))
		return "another kind of type";
	if (btf_is_ptr(ours)) {
		ours = resolve(check->ours, ours->type);
		theirs = resolve(check->kernel, theirs->type);
		if (!ours || !theirs || !is_named(ours) || !is_named(theirs))
			return NULL;
	}
	if (is_named(ours) &&
	    !same_name(name_of(check->ours, ours), name_of(check->kernel, theirs)))
		return "another struct";
	if (btf_is_array(ours)) {
		const struct btf_array *mine = btf_array(ours), *its = btf_array(theirs);

		/* One of length 0 is flexible. */
		if (its->nelems && its->nelems < mine->nelems)
			return "a shorter array";
		return difference(check, resolve(check->ours, mine->type),
				  resolve(check->kernel, its->type));
	}
	return NULL;
}

/* Finds a field by name, inside of anonymous members too. */
static const struct btf_type *find_field(const struct btf *btf, const struct btf_type *type,
					 const char *name, int depth)
{
	const struct btf_member *member = btf_members(type);

	for (int i = 0; i < btf_vlen(type); i++, member++) {
		const char *called = btf__name_by_offset(btf, member->name_off);
		const struct btf_type *inner = resolve(btf, member->type);

		if (called && *called && !strcmp(called, name))
			return inner;
		if ((!called || !*called) && inner && btf_is_composite(inner) &&
		    depth < MAX_DEPTH) {
			inner = find_field(btf, inner, name, depth + 1);
			if (inner)
				return inner;
		}
	}
	return NULL;
}

static void differ(struct check *check, const char *type, const char *field, const char *what)
{
	printf("%s%s%s: %s\n", type, *field ? "." : "", field, what);
	check->differences++;
}

/* The kernel's struct or union of that name; there may be several, from several of its files: the
 * longest. */
static const struct btf_type *find_type(const struct btf *btf, const struct btf_type *like,
					const char *name)
{
	const struct btf_type *best = NULL;

	for (__u32 id = 1; id < btf__type_cnt(btf); id++) {
		const struct btf_type *type = btf__type_by_id(btf, id);

		if (btf_kind(type) == btf_kind(like) && same_name(name, name_of(btf, type)) &&
		    (!best || type->size > best->size))
			best = type;
	}
	return best;
}

static void check_type(struct check *check, const struct btf_type *ours)
{
	const char *name = name_of(check->ours, ours);
	const struct btf_type *theirs = find_type(check->kernel, ours, name);
	const struct btf_member *member = btf_members(ours);

	if (!theirs && !strstr(name, "___"))
		differ(check, name, "", "the kernel has no such type");
	if (!theirs)
		return;
	for (int i = 0; i < btf_vlen(ours); i++, member++) {
		const char *field = btf__name_by_offset(check->ours, member->name_off);
		const struct btf_type *found = find_field(check->kernel, theirs, field, 0);
		bool bits = btf_member_bitfield_size(ours, (__u32)i) != 0;
		const char *what;

		check->fields++;
		if (!found) {
			if (!strstr(name, "___"))
				differ(check, name, field, "the kernel's type has no such field");
			continue;
		}
		what = difference(check, resolve(check->ours, member->type), found);
		if (what && is_integer(found) && (bits || any_size(check, field)))
			continue;
		if (what)
			differ(check, name, field, what);
	}
}

/* Returns whether an enumerator of that name is there, with the value if so. */
static bool find_enumerator(const struct btf *btf, const char *name, long long *value)
{
	for (__u32 id = 1; id < btf__type_cnt(btf); id++) {
		const struct btf_type *type = btf__type_by_id(btf, id);

		if (!btf_is_any_enum(type))
			continue;
		for (int i = 0; i < btf_vlen(type); i++) {
			__u32 off = btf_is_enum(type) ? btf_enum(type)[i].name_off
						      : btf_enum64(type)[i].name_off;

			if (strcmp(btf__name_by_offset(btf, off), name))
				continue;
			*value = btf_is_enum(type)
					 ? btf_enum(type)[i].val
					 : (long long)btf_enum64_value(&btf_enum64(type)[i]);
			return true;
		}
	}
	return false;
}

/* Enumerators stand on a line each: "NAME = VALUE,". */
static int check_enumerators(struct check *check)
{
	FILE *file = fopen(check->header, "re");
	char line[256], name[128];
	long long ours, theirs;

	if (!file)
		return -errno;
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, " %127[A-Za-z0-9_] = %lli,", name, &ours) != 2)
			continue;
		check->enumerators++;
		if (!find_enumerator(check->kernel, name, &theirs))
			differ(check, name, "", "the kernel has no such enumerator");
		else if (ours != theirs)
			differ(check, name, "", "the kernel's enumerator has another value");
	}
	fclose(file);
	return 0;
}

int main(int argc, char **argv)
{
	struct check check = {0};
	int err;

	if (argc < 3 || argc > 4) {
		fprintf(stderr, "usage: check_vmlinux HEADER OBJECT [BTF]\n");
		return 2;
	}
	check.header = argv[1];
	check.ours = btf__parse(argv[2], NULL);
	if (!check.ours) {
		fprintf(stderr, "cannot read the types in %s: %s\n", argv[2], strerror(errno));
		return 1;
	}
	check.kernel = argc == 4 ? btf__parse(argv[3], NULL) : btf__load_vmlinux_btf();
	if (!check.kernel) {
		fprintf(stderr, "cannot read the types of %s: %s\n",
			argc == 4 ? argv[3] : "the running kernel", strerror(errno));
		btf__free(check.ours);
		return 1;
	}
	for (__u32 id = 1; id < btf__type_cnt(check.ours); id++) {
		const struct btf_type *type = btf__type_by_id(check.ours, id);

		if (btf_is_composite(type) && *name_of(check.ours, type))
			check_type(&check, type);
	}
	err = check_enumerators(&check);
	if (err)
		fprintf(stderr, "cannot read %s: %s\n", check.header, strerror(-err));
	printf("vmlinux.h: %d fields and %d enumerators, %d not as in the kernel\n", check.fields,
	       check.enumerators, check.differences);
	btf__free(check.kernel);
	btf__free(check.ours);
	return err || check.differences || !check.fields;
}
