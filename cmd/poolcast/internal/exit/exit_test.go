package exit

import (
	"errors"
	"fmt"
	"testing"
)

func TestCodeOfAnError(t *testing.T) {
	t.Parallel()
	cause := errors.New("cause")
	for _, c := range []struct {
		err    error
		code   int
		marked bool
	}{
		{nil, OK, false},
		{cause, Partial, false},
		{With(Usage, nil), OK, false},
		{With(Usage, cause), Usage, true},
		{fmt.Errorf("wrapped: %w", With(NoFit, cause)), NoFit, true},
		{errors.Join(cause, With(Config, cause)), Config, true},
	} {
		if code, marked := Code(c.err); code != c.code || marked != c.marked {
			t.Errorf("%v: code %d, %t; want %d, %t", c.err, code, marked, c.code, c.marked)
		}
	}
	if !errors.Is(With(Usage, cause), cause) {
		t.Error("the cause is lost")
	}
}
