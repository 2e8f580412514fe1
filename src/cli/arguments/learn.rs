//! The arguments of `learn`.

use std::path::PathBuf;

use clap::Args;

/// The arguments of `learn`.
#[derive(Args, Debug)]
#[command(after_help = "Lessons use a separate store, which is emptied at the end.\n\
                  Progress is saved to $LIFEBOX_PROGRESS, or to lessons.json in\n\
                  $XDG_STATE_HOME/lifebox.")]
pub struct LearnArguments {
    /// Lesson to begin with, by name or number (default the first that is not done)
    #[arg(value_name = "LESSON")]
    pub lesson: Option<String>,
    /// List the lessons
    #[arg(long)]
    pub list: bool,
    /// Teach the lessons of the folder instead
    #[arg(long, value_name = "DIR")]
    pub lessons: Option<PathBuf>,
    /// Reset the progress
    #[arg(long)]
    pub restart: bool,
    /// Test the lessons: play each with its solution and its mistakes, and print faults
    #[arg(long)]
    pub solve: bool,
    /// Test the lessons of the folder
    #[arg(long, value_name = "DIR")]
    pub check: Option<PathBuf>,
    /// Print the results of a class as CSV from these progress files
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub csv: Vec<PathBuf>,
}
