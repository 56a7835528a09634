package plain

import "strings"

// Nearest finds the known word that was probably meant: the one that differs from word by at most two letters, case apart. It is
// empty when there is none.
func Nearest[S ~string](word string, known []S) S {
	best, found := 3, S("")
	for _, k := range known {
		if d := distance(strings.ToLower(word), string(k)); d < best && d < len(k) {
			best, found = d, k
		}
	}
	return found
}

// distance is how many letters must be put in, left out or changed to make b of a.
func distance(a, b string) int {
	if len(a) > 40 {
		return len(a)
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			d := diagonal
			if a[i] != b[j] {
				d++
			}
			diagonal = row[j+1]
			row[j+1] = min(d, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}
