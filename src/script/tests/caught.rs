//! Errors in `catch (e)` have one shape, from Rhai, lifebox or the script.

use super::check;

#[test]
fn errors_of_the_language_have_the_shape_of_ours() {
    check(
        r#"
fn deep(x) { nonesuch(x) }
for f in [|| deep(1), || 1 / 0, || [1][5], || create("host", 5), || { let x = 1; x.y }] {
    try { f.call(); } catch (e) { print(`${e.kind}: ${e.message} (${e.position.line}:${e.position.column} of ${e.position.source}) ${e.causes} ${e.container}${e.status}${e.verb}`); }
}
try { let a = 1 / 0; } catch (e) { print(`${e.position.line} ${e.kind}`); }
try { wiat("web"); } catch (e) { print(e.hint); }
try { wiat("web"); } catch (e) { let f = || e.kind; print(f.call()); }
try { try { 1 / 0 } catch (e) { throw e; } } catch (again) { print(again.position.line); }
try { [1].map(|x| x + #{}) } catch (e) { print("error" in e); }
"#,
        "invalid: there is no function `nonesuch` (2:14 of main.rhai) [] \n\
         invalid: division by zero: 1 / 0 (3:28 of main.rhai) [] \n\
         invalid: array index 5 out of bounds: only 1 element in array (3:40 of main.rhai) [] \n\
         invalid: create() does not take (string, int) (3:47 of main.rhai) [] \n\
         invalid: unknown property 'y' - a getter is not registered for type 'i64' (3:84 of main.rhai) [] \n\
         6 invalid\n\
         did you mean `wait`?\n\
         invalid\n\
         9\n\
         false",
    );
}

#[test]
fn maps_of_scripts_are_left_as_they_are() {
    check(
        r#"
let mine = #{ error: "Error", message: "m", kind: "k" };
print(mine);
let other = #{ error: "Errors: 3", message: "m" };
print(other);
"#,
        "#{\"error\": \"Error\", \"kind\": \"k\", \"message\": \"m\"}\n\
         #{\"error\": \"Errors: 3\", \"message\": \"m\"}",
    );
}

#[test]
fn what_is_thrown_bare_can_be_asked_too() {
    check(
        r#"
try { throw "s" } catch (e) { print(`${e.kind} ${e.message} ${e.hint}${e?.hint} ${e.causes} ${e.position}`); }
try { throw 5 } catch (e) { print(`${e.kind} ${e.message} ${e.hint} ${e.causes} ${e.position}`); }
"#,
        "thrown s  [] \nthrown 5  []",
    );
}

#[test]
fn an_error_of_the_language_is_tried_again_as_what_it_is() {
    check(
        r#"
let times = 0;
try { retry(#{ times: 3, on: ["invalid"] }, || { times += 1; nonesuch() }); } catch (e) { print(times); }
try { retry(#{ times: 3, on: ["timeout"] }, || { times += 1; nonesuch() }); } catch (e) { print(times); }
"#,
        "3\n4",
    );
}
