package capability

import "testing"

func TestKeysAreDescribedOnce(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range Keys() {
		if seen[k.Name] {
			t.Errorf("%s is described twice", k.Name)
		}
		seen[k.Name] = true
		if k.Source == "" || k.Origin == "" {
			t.Errorf("%s has no source or origin", k.Name)
		}
	}
	if _, ok := LookupKey(KeyLoadPercent); !ok {
		t.Error("load_percent is not described")
	}
	if _, ok := LookupKey("total_dnapshots"); ok {
		t.Error("a key that does not exist was found")
	}
}

func TestInFunctions(t *testing.T) {
	for _, name := range []string{KeyUsecPerWrite, KeyTotalVolumes, KeyLoadPercent} {
		if k, _ := LookupKey(name); !k.InFunctions() {
			t.Errorf("%s should be readable by a filter function", name)
		}
	}
	if k, _ := LookupKey(KeyAvgLatency); k.InFunctions() {
		t.Error("InFunctions is true for a float, which would be truncated")
	}
}
