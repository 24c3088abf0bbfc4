import Commands

ExportCommand.main()
