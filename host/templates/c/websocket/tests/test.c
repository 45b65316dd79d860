// Run by `make test`, on your own machine, with a host in memory.

#include <holdfast_fake.h>

int main(void) {
    const char *ada = fake_connect("/", NULL);
    CHECK_TEXT(fake_next(ada), "Hello! Say something.");
    CHECK(fake_receive(ada, holdfast_say("hi")));
    CHECK_TEXT(fake_next(ada), "1: you said hi");
    CHECK(fake_receive(ada, holdfast_say("again")));
    CHECK_TEXT(fake_next(ada), "2: you said again");
    fake_reset();
    return 0;
}
