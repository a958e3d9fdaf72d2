//! The routes that were there first.

use greeter::respond;

#[test]
fn the_root_says_hello() {
    let response = respond("GET", "/");
    assert_eq!((response.status, response.body.as_str()), (200, "hello"));
}

#[test]
fn other_methods_and_paths_are_refused() {
    assert_eq!(respond("POST", "/").status, 405);
    assert_eq!(respond("GET", "/nothing").status, 404);
}
