/* remove_tree.h - a test's folder goes, with all that is in it. */
#ifndef TESTS_TOOLS_REMOVE_TREE_H
#define TESTS_TOOLS_REMOVE_TREE_H

#include <ftw.h>
#include <stdio.h>

static inline int remove_one(const char *path, const struct stat *info, int type, struct FTW *walk)
{
	(void)info;
	(void)type;
	(void)walk;
	return remove(path);
}

/* Links go as links.  Returns 0; else something is left. */
static inline int remove_tree(const char *path)
{
	return nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

#endif
