/* service: what a service tells its manager (sd_notify(3)), if it has one. */
#ifndef CLI_SERVICE_H
#define CLI_SERVICE_H

/*
 * Send a state such as "READY=1" to the socket that NOTIFY_SOCKET names.
 * Without one, or when it cannot be reached, nothing happens.
 */
void service_notify(const char *state);

/* Call handler for SIGTERM, SIGINT (end) and SIGHUP (read the config again),
 * one at a time. */
void service_signals(void (*handler)(int signo));

/* "RELOADING=1", with the time that it needs beside it. */
void service_reloading(void);

#endif
