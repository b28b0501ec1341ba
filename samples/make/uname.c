/* Preloaded, says of the kernel what could be said of many: UPnP programs tell everyone
 * the release that they run on, which is nobody's business. */
#include <string.h>
#include <sys/utsname.h>

int uname(struct utsname *name)
{
	strcpy(name->sysname, "Linux");
	strcpy(name->nodename, "sample");
	strcpy(name->release, "6.1.0");
	strcpy(name->version, "#1");
	strcpy(name->machine, "x86_64");
	return 0;
}
