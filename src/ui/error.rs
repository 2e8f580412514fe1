//! Formats an error for the user: what failed, why, and what to do.

use super::messages::format_message;
use crate::model::Error;
use crate::model::container::status;
use crate::model::container::status::{Action, Status};
use crate::model::value::language::Language;
use crate::model::value::visible::escape_line;

/// The maximum width of message and cause on one line.
const ONE_LINE: usize = 100;

/// Formats `error: ...`, the causes, and `hint: ...`, each line with its newline.
pub fn error(error: &Error) -> String {
    let whole = escape_line(&error.to_string());
    let mut text = if error.causes().len() <= 1 && whole.chars().count() <= ONE_LINE {
        format!("error: {whole}\n")
    } else {
        let cause = |cause: &String| format!("  {}\n", escape_line(cause));
        let causes: String = error.causes().iter().map(cause).collect();
        format!("error: {}\n{causes}", escape_line(error.message()))
    };
    if let Some(hint) = error.hint_text() {
        text.push_str(&format!("hint: {}\n", escape_line(hint)));
    }
    text
}

/// Translates an error into a language. Only refusals of the state machine are translated, because
/// they teach; all other errors stay English.
pub fn localized(error: Error, language: Language) -> Error {
    let refused = error.refused_verb().and_then(Action::from_verb).zip(error.container_name());
    let status = error.status().and_then(|status| status.parse::<Status>().ok());
    let (Some((action, name)), Some(status)) = (refused, status) else { return error };
    let Err(refusal) = status::transition(status, action) else { return error };
    if language == Language::English {
        return error;
    }
    let reason = format_message(language, &format!("reason-{}", refusal.key()), &[]);
    let args = [("verb", action.verb()), ("name", name), ("reason", reason.as_str())];
    let message = format_message(language, "refusal", &args);
    let lesson = format_message(language, &format!("refuse-{}", refusal.lesson(action).0), &[]);
    let legal = format_message(language, "now-legal", &[("verbs", &status::legal_verbs(status))]);
    error.with_message(message, format!("{lesson} {legal}"))
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::model::Kind;

    #[test]
    fn no_control_character_reaches_the_terminal() {
        let hostile = Error::new(Kind::NotFound, "`\x1b]0;x\x07`: \u{9b}31m not found");
        let text = error(&hostile.hint("\x1b[2J"));
        assert_eq!(text, "error: `\\u{1b}]0;x\\u{7}`: \\u{9b}31m not found\nhint: \\u{1b}[2J\n");
    }

    #[test]
    fn a_refusal_is_told_in_the_language_of_the_reader() {
        let error = status::check("web", Status::Paused, Action::Start).unwrap_err();
        assert_eq!(localized(error.clone(), Language::English), error);
        let korean = localized(error, Language::Korean);
        expect![[r#"
            error: `web` 컨테이너에는 start 명령을 실행할 수 없습니다: 일시정지된 상태입니다
            hint: 프로세스가 이미 있고 일시정지되어 있을 뿐이므로 시작할 것이 없습니다. 지금 가능한 명령: unpause, stop, kill, restart, rm -f
        "#]].assert_eq(&super::error(&korean));
        assert_eq!(korean.kind(), Kind::Refused);
        let other = Error::new(Kind::NotFound, "no such container: x");
        assert_eq!(localized(other.clone(), Language::Korean), other);
    }

    /// Refusals have their English texts in the model, where the error is created, and in `en.ftl`.
    #[test]
    fn refusals_read_the_same_wherever_they_are_told() {
        for status in Status::ALL {
            for action in Action::ALL {
                let Err(refusal) = status::transition(status, action) else { continue };
                let reason =
                    format_message(Language::English, &format!("reason-{}", refusal.key()), &[]);
                assert_eq!(reason, refusal.reason());
                let (key, lesson) = refusal.lesson(action);
                assert_eq!(
                    format_message(Language::English, &format!("refuse-{key}"), &[]),
                    lesson
                );
            }
        }
    }

    #[test]
    fn reasons_stay_on_the_line_while_they_fit() {
        let short = Error::new(Kind::System, "invalid argument").context("mount overlay on /");
        expect![[r#"
            error: mount overlay on /: invalid argument
        "#]]
        .assert_eq(&error(&short));
        let long = short
            .context("step 7 of 31")
            .context("cannot start `web`")
            .cause("the directory could not be removed")
            .hint("see `lifebox info`");
        expect![[r#"
            error: cannot start `web`
              step 7 of 31
              mount overlay on /
              invalid argument
              the directory could not be removed
            hint: see `lifebox info`
        "#]]
        .assert_eq(&error(&long));
    }
}
