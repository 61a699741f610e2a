/* audit_report: what ehr-audit says, in words or with --json. */
#ifndef CLI_AUDIT_REPORT_H
#define CLI_AUDIT_REPORT_H

#include <stdio.h>

#include "cli/cli.h"
#include "log/audit.h"

/* A finding: with --json a line on stdout, else a line on out. */
void audit_report_finding(struct cli *c, const struct audit_finding *f,
    FILE *out);

/* The head, the counts of each class, what was not checked, and the verdict;
 * on stdout, in words or as one line of JSON. */
void audit_report_text(const struct audit *a);
void audit_report_json(struct cli *c, const struct audit *a);

#endif
