// Run by `make test`, on your own machine, with a host in memory.

#include <holdfast_fake.h>

static void say(const char *connection, const char *message) {
    CHECK(fake_receive(connection, holdfast_say(message)));
}

int main(void) {
    CHECK(fake_connect("/rooms/a%20b", NULL) == NULL);
    CHECK_TEXT(fake_refusal(), "404 rooms are at /rooms/NAME");
    const char *ada = fake_connect("/rooms/lobby", NULL);
    say(ada, "{\"type\":\"join\",\"nick\":\" Ada \"}");
    CHECK_TEXT(fake_next(ada),
               "{\"type\":\"welcome\",\"nick\":\"Ada\",\"members\":[\"Ada\"],\"messages\":[]}");
    say(ada, "{\"type\":\"say\",\"text\":\"<b>\"}");
    CHECK_TEXT(fake_next(ada), "{\"type\":\"message\",\"id\":1,\"nick\":\"Ada\",\"text\":\"<b>\"}");
    const char *bea = fake_connect("/rooms/lobby", NULL);
    say(bea, "{\"type\":\"join\",\"nick\":\"Ada\"}");
    CHECK_TEXT(fake_next(bea), "{\"type\":\"error\",\"text\":\"somebody here has this nickname\"}");
    say(bea, "{\"type\":\"join\",\"nick\":\"Bea\"}");
    CHECK_TEXT(fake_next(ada), "{\"type\":\"joined\",\"nick\":\"Bea\"}");
    CHECK(fake_request("POST", "/rooms/lobby", "hello").status == 201);
    CHECK_TEXT(fake_next(ada), "{\"type\":\"message\",\"id\":2,\"nick\":\"guest\",\"text\":\"hello\"}");
    CHECK(fake_disconnect(ada, 1000, ""));
    fake_next(bea);
    fake_next(bea);
    CHECK_TEXT(fake_next(bea), "{\"type\":\"left\",\"nick\":\"Ada\"}");
    fake_reset();
    return 0;
}
