// Run by `make test`, on your own machine, with a host in memory.

#include <holdfast_fake.h>
#include <string.h>

int main(void) {
    CHECK(strstr(fake_request("GET", "/", NULL).body, "Hello, world!") != NULL);
    CHECK(strstr(fake_request("POST", "/", "<b>").body, "Hello, &lt;b>!") != NULL);
    CHECK(fake_request("GET", "/other", NULL).status == 404);
    fake_reset();
    return 0;
}
