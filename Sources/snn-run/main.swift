import Commands

RunCommand.main()
