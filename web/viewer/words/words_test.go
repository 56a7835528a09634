package words

import (
	"reflect"
	"regexp"
	"slices"
	"testing"

	"hawker/internal/lang"
)

// Every language says everything, and fills in the same things as English does.
func TestWords(t *testing.T) {
	en := reflect.ValueOf(*For("en"))
	hole := regexp.MustCompile(`\{\w+\}`)
	for _, l := range lang.Languages() {
		w := reflect.ValueOf(*For(l))
		for i := range w.NumField() {
			if w.Field(i).Kind() != reflect.String {
				continue
			}
			name, s := w.Type().Field(i).Name, w.Field(i).String()
			a, b := hole.FindAllString(s, -1), hole.FindAllString(en.Field(i).String(), -1)
			slices.Sort(a)
			slices.Sort(b)
			if s == "" || !slices.Equal(a, b) {
				t.Errorf("%s: %s is %q", l, name, s)
			}
		}
	}
}
