// A response that goes on: server-sent events, one every 100 ms, or as
// ?count=N&pause=MS says, until there are enough or the client goes.
package main

import (
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/holdfast-host/holdfast/sdk/go/web"
)

func numberIn(request *http.Request, key string, otherwise int) int {
	number, err := strconv.Atoi(request.URL.Query().Get(key))
	if err != nil || number < 0 {
		return otherwise
	}
	return number
}

func events(response http.ResponseWriter, request *http.Request) {
	count := numberIn(request, "count", math.MaxInt)
	pause := time.Duration(numberIn(request, "pause", 100)) * time.Millisecond
	response.Header().Set("content-type", "text/event-stream")
	response.Header().Set("cache-control", "no-store")
	controller := http.NewResponseController(response)
	for number := range count {
		if number > 0 {
			time.Sleep(pause)
		}
		fmt.Fprintf(response, "data: %d\n\n", number)
		// An error says that the client has gone.
		if controller.Flush() != nil {
			return
		}
	}
}

func init() { web.HandleFunc(events) }

func main() {}
