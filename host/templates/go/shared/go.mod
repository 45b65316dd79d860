module {{name}}

go 1.24

require github.com/holdfast-host/holdfast/sdk/go v0.0.0

// `holdfast new` has put the SDK here.
replace github.com/holdfast-host/holdfast/sdk/go => ./holdfast-sdk
