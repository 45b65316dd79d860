package host

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"unsafe"
)

var methods = []string{"GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"}

// The number of the error code which carries a text.
const internalError = 38

// Request is a request that came in.
type Request struct {
	Method, PathWithQuery, Scheme, Authority string
	Fields                                   []Field
	Body                                     *Body
}

// TakeRequest reads the head of a request.
func TakeRequest(handle uint32) Request {
	Begin()
	request := Request{
		Method:        methodOf(handle),
		PathWithQuery: optionalString(incomingRequestPath, handle),
		Scheme:        schemeOf(handle),
		Authority:     optionalString(incomingRequestAuthority, handle),
		Fields:        takeFields(incomingRequestHeaders(handle)),
	}
	incomingRequestConsume(handle, result())
	request.Body = newBody(u32At(result(), 4))
	incomingRequestDrop(handle)
	return request
}

func methodOf(request uint32) string {
	incomingRequestMethod(request, result())
	if tag := int(byteAt(result(), 0)); tag < len(methods) {
		return methods[tag]
	}
	name := stringAt(result(), 4)
	release()
	return name
}

func schemeOf(request uint32) string {
	incomingRequestScheme(request, result())
	release()
	if byteAt(result(), 0) == 1 && byteAt(result(), 4) == 1 {
		return "https"
	}
	return "http"
}

func optionalString(get func(uint32, unsafe.Pointer), handle uint32) string {
	get(handle, result())
	if byteAt(result(), 0) == 0 {
		return ""
	}
	text := stringAt(result(), 4)
	release()
	return text
}

func takeFields(handle uint32) []Field {
	fieldsEntries(handle, result())
	fieldsDrop(handle)
	fields := liftFields(u32At(result(), 0), u32At(result(), 4))
	release()
	return fields
}

// makeFields says whether all are valid.
func makeFields(fields []Field) (uint32, bool) {
	handle := newFields()
	valid := true
	for _, field := range fields {
		name, nameLen := text(field.Name)
		value, valueLen := list(field.Value)
		fieldsAppend(handle, name, nameLen, value, valueLen, result())
		valid = valid && !isError()
	}
	return handle, valid
}

// StartResponse sends the head of a response.
func StartResponse(out uint32, status int, fields []Field) (*Outgoing, error) {
	handle, valid := makeFields(fields)
	response := newOutgoingResponse(handle)
	if outgoingResponseSetStatus(response, uint32(status)) != 0 || !valid {
		outgoingResponseDrop(response)
		return nil, errors.New("the response has a status or a header field which none can have")
	}
	outgoingResponseBody(response, result())
	outgoing := newOutgoing(u32At(result(), 4))
	responseOutparamSet(out, 0, response, 0, 0, 0, 0, 0, 0)
	return outgoing, nil
}

// FailResponse answers with an error, which the host logs.
func FailResponse(out uint32, why string) {
	kept = append(kept, why)
	data, length := text(why)
	responseOutparamSet(out, 1, internalError, 1, uint64(uintptr(data)), length, 0, 0, 0)
}

// Response is the answer of another server.
type Response struct {
	Status int
	Fields []Field
	Body   *Body
}

// Fetch sends a request to another server and waits for the head of the response.
func Fetch(method, scheme, authority, path string, fields []Field, body io.Reader) (*Response, error) {
	handle, valid := makeFields(fields)
	request := newOutgoingRequest(handle)
	if !fill(request, method, scheme, authority, path) || !valid {
		outgoingRequestDrop(request)
		return nil, errors.New("the request has a part which none can have")
	}
	outgoingRequestBody(request, result())
	outgoing := newOutgoing(u32At(result(), 4))
	outgoingHandle(request, 0, 0, result())
	if isError() {
		err := describe(8, authority)
		outgoing.Abandon()
		return nil, err
	}
	future := u32At(result(), 8)
	if body != nil {
		if _, err := io.Copy(outgoing, body); err != nil && !errors.Is(err, ErrBroken) {
			outgoing.Abandon()
			futureDrop(future)
			return nil, err
		}
	}
	// A server that does not take the body says so; its response says it better.
	_ = outgoing.Finish()
	return await(future, authority)
}

func fill(request uint32, method, scheme, authority, path string) bool {
	methodData, methodLen := text(method)
	tag := slices.Index(methods, method)
	if tag < 0 {
		tag = len(methods)
	} else {
		methodData, methodLen = nil, 0
	}
	var schemeTag uint32
	if scheme == "https" {
		schemeTag = 1
	}
	authorityData, authorityLen := text(authority)
	pathData, pathLen := text(path)
	return outgoingRequestSetMethod(request, uint32(tag), methodData, methodLen) == 0 &&
		outgoingRequestSetScheme(request, 1, schemeTag, nil, 0) == 0 &&
		outgoingRequestSetAuthority(request, 1, authorityData, authorityLen) == 0 &&
		outgoingRequestSetPath(request, 1, pathData, pathLen) == 0
}

func await(future uint32, authority string) (*Response, error) {
	pollable := futureSubscribe(future)
	pollableBlock(pollable)
	pollableDrop(pollable)
	futureGet(future, result())
	isThere := byteAt(result(), 0) == 1 && byteAt(result(), 8) == 0
	isFailed := isThere && byteAt(result(), 16) != 0
	var err error
	handle := u32At(result(), 24)
	if isFailed {
		err = describe(24, authority)
	} else if !isThere {
		err = errors.New("there is no response")
	}
	futureDrop(future)
	if err != nil {
		return nil, err
	}
	response := &Response{
		Status: int(incomingResponseStatus(handle)),
		Fields: takeFields(incomingResponseHeaders(handle)),
	}
	incomingResponseConsume(handle, result())
	response.Body = newBody(u32At(result(), 4))
	incomingResponseDrop(handle)
	return response, nil
}

// describe reads an error code of wasi:http, for people.
func describe(offset uintptr, authority string) error {
	defer release()
	switch tag := byteAt(result(), offset); tag {
	case 0, 1:
		return fmt.Errorf("the name of %s is not known", authority)
	case 2, 3, 5, 6, 7:
		return fmt.Errorf("%s can't be reached", authority)
	case 8, 9, 10, 33:
		return fmt.Errorf("%s did not answer in time", authority)
	case 4, 15:
		return fmt.Errorf("requests to %s are not allowed; the operator allows them with --allow-http or allow_http in the manifest", authority)
	case internalError:
		if byteAt(result(), offset+8) != 0 {
			return errors.New(stringAt(result(), offset+12))
		}
		return errors.New("internal error")
	default:
		return fmt.Errorf("wasi:http error %d", tag)
	}
}
