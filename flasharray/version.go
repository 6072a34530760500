package flasharray

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// The REST versions this client speaks. The oldest is the one that brought
// array-connections, which is also the oldest that Cinder's driver accepts;
// the newest is the last whose specification the client was checked against.
// An array that is newer answers in the newest version that both know.
const (
	OldestVersion = "2.4"
	NewestVersion = "2.56"
)

// version is a REST version; versions are compared by number, 2.9 < 2.10.
type version struct{ major, minor int }

func (v version) String() string { return fmt.Sprintf("%d.%d", v.major, v.minor) }

func compareVersions(v, w version) int {
	return cmp.Or(cmp.Compare(v.major, w.major), cmp.Compare(v.minor, w.minor))
}

func (v version) atLeast(w version) bool { return compareVersions(v, w) >= 0 }

// parseVersion refuses what is not two numbers, such as 2.DEV.
func parseVersion(s string) (version, bool) {
	major, minor, _ := strings.Cut(s, ".")
	a, err1 := strconv.ParseUint(major, 10, 16)
	b, err2 := strconv.ParseUint(minor, 10, 16)
	return version{int(a), int(b)}, err1 == nil && err2 == nil
}

// chooseVersion picks the newest version of the array's list within our range.
// The list is sorted here because its order is nowhere promised.
func chooseVersion(offered []string) (version, error) {
	oldest, _ := parseVersion(OldestVersion)
	newest, _ := parseVersion(NewestVersion)
	var versions []version
	for _, s := range offered {
		if v, ok := parseVersion(s); ok {
			versions = append(versions, v)
		}
	}
	if len(versions) == 0 {
		return version{}, fmt.Errorf("%w: the array names none", ErrUnsupportedVersion)
	}
	slices.SortFunc(versions, compareVersions)
	for _, v := range slices.Backward(versions) {
		if v.atLeast(oldest) && newest.atLeast(v) {
			return v, nil
		}
	}
	return version{}, fmt.Errorf("%w: the array offers %s to %s, this client speaks %s to %s",
		ErrUnsupportedVersion, versions[0], versions[len(versions)-1], oldest, newest)
}

// negotiate asks the array which versions it speaks. No session is needed.
func (c *Client) negotiate(ctx context.Context, r *reading) (version, error) {
	q := request{method: http.MethodGet, path: "/api/api_version", id: r.id}
	a, err := c.send(ctx, q)
	if err != nil {
		return version{}, err
	}
	var odd []error
	o, err := parseAnswer(a.body, "api_version", &odd)
	if err != nil {
		return version{}, q.wrap(err)
	}
	offered := o.texts("version")
	if len(offered) == 0 {
		return version{}, q.wrap(errors.New("the answer names no version; is this a FlashArray?"))
	}
	return chooseVersion(offered)
}
