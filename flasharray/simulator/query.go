package simulator

import (
	"encoding/base64"
	"math"
	"net/url"
	"strconv"
	"strings"
)

// query is a list request's parameters, checked.
type query struct {
	filter    expr
	limit     int // -1: not given
	offset    int
	sort      []sortKey
	wantCount bool
	totalOnly bool
	destroyed *bool
	flagged   *bool

	resourceDestroyed *bool // of the volume that a tag is on
	names, ids        []string
	related           map[string][]string // by field of a reference: source.name
	contexts          []string
	window            window
	fileOnly          bool // protocol or protocol_group is not block

	raw url.Values
}

type sortKey struct {
	path       string
	descending bool
}

// parseQuery rejects parameters that the endpoint does not have in this version.
// Whether a real array rejects or ignores an unknown parameter is not documented;
// an error shows a client's mistake at once.
func parseQuery(rawQuery string, e *endpoint, version int) (query, error) {
	q := query{limit: -1}
	values, err := url.ParseQuery(rawQuery)
	if err != nil {
		return q, refuse("", "Invalid query string.")
	}
	q.raw = values
	for name, all := range values {
		if !e.accepts(name, version) {
			return q, refuse(name, "Invalid query parameter.")
		}
		if err := q.set(name, all[len(all)-1], e); err != nil {
			return q, err
		}
	}
	return q, nil
}

func (q *query) set(name, value string, e *endpoint) (err error) {
	switch name {
	case "filter":
		q.filter, err = parseFilter(value, e.fields)
	case "sort":
		q.sort, err = parseSort(value, e.fields)
	case "limit":
		q.limit, err = parseCount(name, value)
	case "offset":
		q.offset, err = parseCount(name, value)
	case "continuation_token":
		q.offset, err = parseToken(value)
	case "total_item_count":
		q.wantCount, err = parseBool(name, value)
	case "total_only":
		q.totalOnly, err = parseBool(name, value)
	case "destroyed":
		q.destroyed, err = parseSwitch(name, value)
	case "resource_destroyed":
		q.resourceDestroyed, err = parseSwitch(name, value)
	case "flagged":
		q.flagged, err = parseSwitch(name, value)
	case "allow_errors":
		_, err = parseBool(name, value)
	case "protocol", "protocol_group":
		err = q.setProtocol(name, value, e)
	case "start_time", "end_time", "resolution":
		err = q.window.set(name, value)
	default:
		q.setList(name, strings.Split(value, ","))
	}
	return err
}

func (q *query) setList(name string, list []string) {
	switch name {
	case "names":
		q.names = list
	case "ids":
		q.ids = list
	case "context_names":
		q.contexts = list
	case "namespaces", "keys":
		q.relate(strings.TrimSuffix(name, "s"), list)
	default: // source_names, host_group_names and similar
		at := strings.LastIndex(name, "_")
		q.relate(name[:at]+"."+strings.TrimSuffix(name[at+1:], "s"), list)
	}
}

func (q *query) relate(path string, list []string) {
	if q.related == nil {
		q.related = map[string][]string{}
	}
	q.related[path] = list
}

func (q *query) setProtocol(name, value string, e *endpoint) error {
	if !isPerformance(e.path) { // it is a field of what is listed
		q.relate(name, strings.Split(value, ","))
		return nil
	}
	switch value {
	case "all", "block":
	case "nfs", "smb", "file", "s3", "object-store":
		q.fileOnly = true
	default:
		return refuse(name, "Invalid value %q.", value)
	}
	return nil
}

func parseCount(name, value string) (int, error) {
	n, err := strconv.ParseInt(value, 10, 32)
	if err != nil || n < 0 {
		return 0, refuse(name, "Invalid value %q: it must be a number from 0 to %d.", value, math.MaxInt32)
	}
	return int(n), nil
}

func parseBool(name, value string) (bool, error) {
	switch strings.ToLower(value) {
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return false, refuse(name, "Invalid value %q: it must be true or false.", value)
}

func parseSwitch(name, value string) (*bool, error) {
	b, err := parseBool(name, value)
	return &b, err
}

// parseSort accepts the documented suffix minus and the prefix of newer
// documents.
func parseSort(value string, fields *field) ([]sortKey, error) {
	var keys []sortKey
	for _, word := range strings.Split(value, ",") {
		path, suffix := strings.CutSuffix(word, "-")
		path, prefix := strings.CutPrefix(path, "-")
		if _, known := fields.at(path); !known || path == "" {
			return nil, refuse("sort", "Invalid sort field %q.", word)
		}
		keys = append(keys, sortKey{path: path, descending: suffix || prefix})
	}
	return keys, nil
}

const tokenPrefix = "v1:"

// makeToken encodes the offset of the next page.
func makeToken(offset int) string {
	return base64.StdEncoding.EncodeToString([]byte(tokenPrefix + strconv.Itoa(offset)))
}

func parseToken(token string) (int, error) {
	text, err := base64.StdEncoding.DecodeString(token)
	digits, ok := strings.CutPrefix(string(text), tokenPrefix)
	if err != nil || !ok {
		return 0, refuse("continuation_token", "Invalid continuation token.")
	}
	return parseCount("continuation_token", digits)
}
