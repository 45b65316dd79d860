package web

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/holdfast-host/holdfast/sdk/go/internal/host"
)

var transport http.RoundTripper = roundTripper{}

type roundTripper struct{}

// RoundTrip sends one request.
func (roundTripper) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.Body != nil {
		defer request.Body.Close()
	}
	authority := request.Host
	if authority == "" {
		authority = request.URL.Host
	}
	header := request.Header.Clone()
	if request.ContentLength > 0 {
		header.Set("content-length", strconv.FormatInt(request.ContentLength, 10))
	}
	answer, err := host.Fetch(request.Method, request.URL.Scheme, authority, request.URL.RequestURI(), fields(header), request.Body)
	if err != nil {
		return nil, err
	}
	response := &http.Response{
		Status:        strconv.Itoa(answer.Status) + " " + http.StatusText(answer.Status),
		StatusCode:    answer.Status,
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        headerOf(answer.Fields),
		Body:          answer.Body,
		ContentLength: -1,
		Request:       request,
	}
	if length, err := strconv.ParseInt(response.Header.Get("content-length"), 10, 64); err == nil {
		response.ContentLength = length
	}
	return response, nil
}

func headerOf(fields []host.Field) http.Header {
	header := make(http.Header, len(fields))
	for _, field := range fields {
		header.Add(field.Name, string(field.Value))
	}
	return header
}

func fields(header http.Header) []host.Field {
	var fields []host.Field
	for name, values := range header {
		for _, value := range values {
			fields = append(fields, host.Field{Name: strings.ToLower(name), Value: []byte(value)})
		}
	}
	return fields
}
