/* inside.h - a program's main() within the test: what it prints is kept.
 *
 * The program is compiled again with -Dmain=NAME_main (the tests' local.mk), so that a test can
 * stand in for what it calls.
 */
#ifndef TESTS_TOOLS_INSIDE_H
#define TESTS_TOOLS_INSIDE_H

enum { INSIDE_OUTPUT = 16384 };

typedef int inside_main(int argc, char **argv);

/* Runs program with the words of command, of which the first is its name: parted by blanks, and "'"
 * stands for a blank in one.  Both streams go to output, which ends with NUL.  Returns the exit
 * status. */
int inside_run(inside_main *program, const char *command, char output[INSIDE_OUTPUT]);

#endif
