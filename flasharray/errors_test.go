package flasharray_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/poolcast/poolcast/flasharray"
)

func TestAPIErrorMessage(t *testing.T) {
	for name, tc := range map[string]struct {
		status           int
		body             string
		context, message string
		is               error
	}{
		"array":       {400, `{"errors":[{"context":"vol1","message":"Volume does not exist."}]}`, "vol1", "Volume does not exist.", nil},
		"no context":  {500, `{"errors":[{"context":null,"message":"Internal."},{"message":"Second."}]}`, "", "Internal.", nil},
		"gateway":     {403, `{"message":"Operation not permitted."}`, "", "Operation not permitted.", flasharray.ErrForbidden},
		"both":        {403, `{"errors":[],"message":"No."}`, "", "No.", flasharray.ErrForbidden},
		"not found":   {404, ``, "", "", flasharray.ErrNotFound},
		"busy":        {429, `{"message":"API rate limit exceeded"}`, "", "API rate limit exceeded", flasharray.ErrBusy},
		"unavailable": {503, `<html>503</html>`, "", "", flasharray.ErrBusy},
		"wrong type":  {500, `{"errors":{"message":5}}`, "", "", nil},
		"wrong types": {500, `{"errors":[7,{"message":["x"]}]}`, "", "", nil},
		"many lines":  {500, `{"message":"one\n\ttwo\u0000 three\u001b[31m"}`, "", `one two\x00 three\x1b[31m`, nil},
	} {
		f := newFakeArray(t)
		f.fail("arrays/space", tc.status, tc.body)
		_, err := f.client(t).Sample(t.Context())
		var api *flasharray.APIError
		if !errors.As(err, &api) {
			t.Errorf("%s: got %v", name, err)
			continue
		}
		if api.Status != tc.status || api.Context != tc.context || api.Message != tc.message || api.Path != "arrays/space" {
			t.Errorf("%s: got %+v", name, api)
		}
		if tc.is != nil && !errors.Is(err, tc.is) {
			t.Errorf("%s: %v is not %v", name, err, tc.is)
		}
		asked := f.requests[len(f.requests)-1]
		if api.RequestID == "" || api.RequestID != asked.Header.Get("X-Request-ID") || !strings.Contains(err.Error(), api.RequestID) {
			t.Errorf("%s: request id %q is not the one sent, or not in %v", name, api.RequestID, err)
		}
	}
}

func TestAPIErrorMessageTooLong(t *testing.T) {
	f := newFakeArray(t)
	f.fail("arrays/space", 500, `{"message":"`+strings.Repeat("ä", 5000)+`"}`)
	_, err := f.client(t).Sample(t.Context())
	if err == nil || len(err.Error()) > 500 || strings.Contains(err.Error(), "\uFFFD") {
		t.Errorf("got %v", err)
	}
}

func TestRetryAfter(t *testing.T) {
	for _, tc := range []struct {
		header string
		want   time.Duration
	}{
		{"", 0},
		{"120", 2 * time.Minute},
		{"-5", 0},
		{"99999999", time.Hour},
		{"soon", 0},
		{"Mon, 01 Jan 2035 00:00:30 GMT", 30 * time.Second},
		{"Sun, 31 Dec 2034 23:00:00 GMT", 0},
	} {
		f := newFakeArray(t)
		f.handle("arrays/space", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Date", "Mon, 01 Jan 2035 00:00:00 GMT")
			w.Header().Set("Retry-After", tc.header)
			w.WriteHeader(http.StatusTooManyRequests)
		})
		_, err := f.client(t).Sample(t.Context())
		var wait interface{ RetryAfter() time.Duration }
		if !errors.As(err, &wait) || wait.RetryAfter() != tc.want {
			t.Errorf("%q: got %v", tc.header, err)
		}
	}
}

func TestInvalidResponses(t *testing.T) {
	for name, h := range map[string]http.HandlerFunc{
		"HTML":       func(w http.ResponseWriter, _ *http.Request) { write(w, "<html>Sign in</html>") },
		"empty":      func(http.ResponseWriter, *http.Request) {},
		"null":       func(w http.ResponseWriter, _ *http.Request) { write(w, "null") },
		"list":       func(w http.ResponseWriter, _ *http.Request) { write(w, "[]") },
		"no items":   func(w http.ResponseWriter, _ *http.Request) { write(w, `{"total_item_count":1}`) },
		"null items": func(w http.ResponseWriter, _ *http.Request) { write(w, `{"items":null}`) },
		"none":       func(w http.ResponseWriter, _ *http.Request) { write(w, `{"items":[]}`) },
		"two":        func(w http.ResponseWriter, _ *http.Request) { write(w, `{"items":[{}]}{}`) },
		"huge": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.CopyN(w, strings.NewReader(strings.Repeat(" ", 5<<20)), 5<<20)
		},
		"cut": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			write(w, `{"items":[`)
		},
		"hung up": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"not gzip": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			write(w, `{"items":[]}`)
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFakeArray(t)
			f.handle("arrays/space", h)
			_, err := f.client(t).Sample(t.Context())
			if err == nil || !strings.Contains(err.Error(), "GET arrays/space") || strings.Contains(err.Error(), "http") {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestRequestTimeout(t *testing.T) {
	f := newFakeArray(t)
	f.handle("arrays/space", hang)
	o := f.options()
	o.Timeout = 30 * time.Millisecond
	c, err := flasharray.New(o)
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Sample(t.Context())
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "no complete response within 30ms") {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	errStop := errors.New("shutting down")
	f.handle("arrays/space", func(w http.ResponseWriter, r *http.Request) { cancel(errStop); hang(w, r) })
	if _, err := f.client(t).Sample(ctx); !errors.Is(err, errStop) {
		t.Errorf("got %v", err)
	}
}

func TestUnreachableArray(t *testing.T) {
	f := newFakeArray(t)
	c := f.client(t)
	f.Close()
	_, err := c.Sample(t.Context())
	var lost *flasharray.RequestError
	if !errors.As(err, &lost) || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("got %v", err)
	}
	if n := c.Counters().Requests[0]; n != 1 {
		t.Errorf("%d requests without a response were counted", n)
	}
}
