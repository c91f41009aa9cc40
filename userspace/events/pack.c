// SPDX-License-Identifier: MIT
#include "events/pack.h"

#include <errno.h>
#include <stdlib.h>
#include <zstd.h>

/* Level 3 takes a quarter longer and gains nothing. */
#define COMPRESSION_LEVEL 1

/* From this size on a column has blocks of its own. */
#define OWN_BLOCK_BYTES 512

struct pack {
	ZSTD_CCtx *zstd;
	struct column frame;
};

struct pack *pack_new(void)
{
	struct pack *pack = calloc(1, sizeof(*pack));

	if (!pack)
		return NULL;
	pack->zstd = ZSTD_createCCtx();
	if (!pack->zstd) {
		free(pack);
		return NULL;
	}
	ZSTD_CCtx_setParameter(pack->zstd, ZSTD_c_compressionLevel, COMPRESSION_LEVEL);
	ZSTD_CCtx_setParameter(pack->zstd, ZSTD_c_checksumFlag, 1);
	return pack;
}

void pack_free(struct pack *pack)
{
	if (!pack)
		return;
	ZSTD_freeCCtx(pack->zstd);
	column_release(&pack->frame);
	free(pack);
}

void pack_begin(struct pack *pack)
{
	ZSTD_CCtx_reset(pack->zstd, ZSTD_reset_session_only);
	pack->frame.n = 0;
}

static int compress(struct pack *pack, const struct column *column, ZSTD_EndDirective directive)
{
	ZSTD_inBuffer in = {column ? column->bytes : NULL, column ? column->n : 0, 0};
	size_t left;

	do {
		ZSTD_outBuffer out;

		if (!column_reserve(&pack->frame, 4096))
			return -ENOMEM;
		out = (ZSTD_outBuffer){pack->frame.bytes, pack->frame.capacity, pack->frame.n};
		left = ZSTD_compressStream2(pack->zstd, &out, &in, directive);
		if (ZSTD_isError(left))
			return -ENOMEM; /* nothing else can go wrong */
		pack->frame.n = out.pos;
	} while (directive == ZSTD_e_continue ? in.pos < in.size : left > 0);
	return 0;
}

int pack_add(struct pack *pack, const struct column *column)
{
	int err;

	if (column->n < OWN_BLOCK_BYTES)
		return compress(pack, column, ZSTD_e_continue);
	/* What was gathered of small columns ends its block before a large one begins. */
	err = compress(pack, NULL, ZSTD_e_flush);
	return err ? err : compress(pack, column, ZSTD_e_flush);
}

int pack_end(struct pack *pack, const void **bytes, size_t *size)
{
	int err = compress(pack, NULL, ZSTD_e_end);

	*bytes = pack->frame.bytes;
	*size = pack->frame.n;
	return err;
}
