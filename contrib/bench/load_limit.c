#include "load.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <unistd.h>

#define SECONDS 1.0

struct worker {
	pthread_t thread;
	double per_s;
};

static void
must(int ok)
{
	if (ok != 1)
		load_die("verify", NULL);
}

/* The loop of openssl speed: one key, one context, a short message. */
static void *
run(void *arg)
{
	static const unsigned char seed[32] = { 1 }, msg[20] = { 2 };
	struct worker *w = arg;
	EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL,
	    seed, sizeof(seed));
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	unsigned char sig[64];
	size_t n = sizeof(sig);
	double start, now;
	unsigned long done = 0;

	must(EVP_DigestSignInit(c, NULL, NULL, NULL, key));
	must(EVP_DigestSign(c, sig, &n, msg, sizeof(msg)));
	EVP_MD_CTX_free(c);
	c = EVP_MD_CTX_new();
	must(EVP_DigestVerifyInit(c, NULL, NULL, NULL, key));
	start = now = clock_s();
	while (now - start < SECONDS) {
		for (int i = 0; i < 50; i++)
			must(EVP_DigestVerify(c, sig, n, msg, sizeof(msg)));
		done += 50;
		now = clock_s();
	}
	w->per_s = (double)done / (now - start);
	EVP_MD_CTX_free(c);
	EVP_PKEY_free(key);
	return NULL;
}

double
load_verify_rate(void)
{
	struct worker w[64];
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	double sum = 0;

	if (cores > 64)
		cores = 64;
	for (long i = 0; i < cores; i++)
		if (pthread_create(&w[i].thread, NULL, run, &w[i]) != 0)
			load_die("a thread", NULL);
	for (long i = 0; i < cores; i++) {
		pthread_join(w[i].thread, NULL);
		sum += w[i].per_s;
	}
	return sum;
}
