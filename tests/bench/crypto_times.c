/* crypto_times.c - linked around a program's sealing, opening, signing and verifying
 * (--wrap), tells what they cost it: CPU time in nanoseconds and calls, two numbers of 64
 * bits in the file that BENCH_CRYPTO_TIMES names.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "keys/eccsi.h"
#include "keys/sakke.h"
#include "tests/bench/bench.h"

struct times {
	uint64_t ns, calls;
};

/* One a process, as --wrap gives no other place. */
static struct times *times_of_process(void)
{
	static struct times *times;
	const char *path = getenv("BENCH_CRYPTO_TIMES");
	int fd;

	if (times)
		return times;
	fd = open(path ? path : "", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	bench_must(fd >= 0 && ftruncate(fd, sizeof(*times)) == 0, "BENCH_CRYPTO_TIMES");
	times = mmap(NULL, sizeof(*times), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	bench_must(times != MAP_FAILED, "mmap");
	close(fd);
	return times;
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static int count(uint64_t begin, int result)
{
	struct times *times = times_of_process();

	times->ns += now_ns() - begin;
	times->calls++;
	return result;
}

int __real_sakke_seal(const struct sakke_kms *kms, struct slice identifier,
		      const uint8_t ssv[SAKKE_SSV], uint8_t out[SAKKE_SEALED],
		      struct sakke_zeros *zeros_out);
int __wrap_sakke_seal(const struct sakke_kms *kms, struct slice identifier,
		      const uint8_t ssv[SAKKE_SSV], uint8_t out[SAKKE_SEALED],
		      struct sakke_zeros *zeros_out);

int __wrap_sakke_seal(const struct sakke_kms *kms, struct slice identifier,
		      const uint8_t ssv[SAKKE_SSV], uint8_t out[SAKKE_SEALED],
		      struct sakke_zeros *zeros_out)
{
	uint64_t begin = now_ns();

	return count(begin, __real_sakke_seal(kms, identifier, ssv, out, zeros_out));
}

int __real_sakke_open(const struct sakke_receiver *receiver, struct slice sealed,
		      uint8_t ssv_out[SAKKE_SSV]);
int __wrap_sakke_open(const struct sakke_receiver *receiver, struct slice sealed,
		      uint8_t ssv_out[SAKKE_SSV]);

int __wrap_sakke_open(const struct sakke_receiver *receiver, struct slice sealed,
		      uint8_t ssv_out[SAKKE_SSV])
{
	uint64_t begin = now_ns();

	return count(begin, __real_sakke_open(receiver, sealed, ssv_out));
}

int __real_eccsi_sign(const struct eccsi *eccsi, const struct eccsi_signer *signer,
		      struct slice message, const uint8_t *j, uint8_t out[ECCSI_SIGNATURE]);
int __wrap_eccsi_sign(const struct eccsi *eccsi, const struct eccsi_signer *signer,
		      struct slice message, const uint8_t *j, uint8_t out[ECCSI_SIGNATURE]);

int __wrap_eccsi_sign(const struct eccsi *eccsi, const struct eccsi_signer *signer,
		      struct slice message, const uint8_t *j, uint8_t out[ECCSI_SIGNATURE])
{
	uint64_t begin = now_ns();

	return count(begin, __real_eccsi_sign(eccsi, signer, message, j, out));
}

int __real_eccsi_verify(const struct eccsi *eccsi, const uint8_t kpak[ECCSI_POINT],
			struct slice identifier, struct slice message, struct slice signature);
int __wrap_eccsi_verify(const struct eccsi *eccsi, const uint8_t kpak[ECCSI_POINT],
			struct slice identifier, struct slice message, struct slice signature);

int __wrap_eccsi_verify(const struct eccsi *eccsi, const uint8_t kpak[ECCSI_POINT],
			struct slice identifier, struct slice message, struct slice signature)
{
	uint64_t begin = now_ns();

	return count(begin, __real_eccsi_verify(eccsi, kpak, identifier, message, signature));
}
