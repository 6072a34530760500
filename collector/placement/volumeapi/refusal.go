package volumeapi

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/poolcast/poolcast/collector/placement/cinder"
)

// RefusalError says that cinder-api refuses a request, and the scheduler is not asked.
type RefusalError struct {
	Exception string // the class of the exception in cinder/exception.py
	Reason    string
}

// Error names the exception of Cinder.
func (r *RefusalError) Error() string {
	return fmt.Sprintf("cinder-api refuses it before the scheduler is asked (%s): %s", r.Exception, r.Reason)
}

func refuse(exception, reason string, args ...any) *RefusalError {
	return &RefusalError{Exception: exception, Reason: fmt.Sprintf(reason, args...)}
}

// The extra specs that limit the size of volumes (cinder/volume/volume_types.py).
const (
	minSizeKey = "provisioning:min_vol_size"
	maxSizeKey = "provisioning:max_vol_size"
)

// checkSize compares a size in GiB with the limits of the type
// (cinder/volume/volume_types.py, provision_filter_on_size).
func checkSize(t *cinder.VolumeType, size int64) error {
	for _, limit := range []struct {
		key     string
		exceeds func(limit int64) bool
		text    string
	}{
		{minSizeKey, func(limit int64) bool { return size < limit }, "less than"},
		{maxSizeKey, func(limit int64) bool { return size > limit }, "more than"},
	} {
		text, ok := spec(t, limit.key)
		if !ok || text == "" {
			continue
		}
		n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
		if err != nil {
			return refuse("ValueError", "%s = %q of the type %s is not a whole number, and cinder-api fails with it", limit.key, text, t.Name)
		}
		if limit.exceeds(n) {
			return refuse("InvalidInput", "%d GiB is %s %s = %d of the type %s", size, limit.text, limit.key, n, t.Name)
		}
	}
	return nil
}

// LeastSize is the size in GiB of the smallest volume that a type allows.
func LeastSize(t *cinder.VolumeType) int64 {
	text, _ := spec(t, minSizeKey)
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	if err != nil {
		return 1
	}
	return max(n, 1)
}
